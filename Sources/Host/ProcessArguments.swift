// SPDX-License-Identifier: GPL-2.0-or-later

// What main gets. The standard library looks for it in /proc, which image builders may not have.
private nonisolated(unsafe) var given:
  (count: CInt, words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) =
    (0, nil)

/// The C library calls what is in this section before main, with the same arguments.
@used @section(".init_array")
private let takeArguments:
  @convention(c) (
    CInt, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> Void = { count, words, _ in given = (count, words) }

extension Program {
  /// The name that this process was called by, and the words after it.
  public static var arguments: [String] {
    guard let words = given.words else { return [] }
    return (0..<Int(given.count)).compactMap { words[$0].map { String(cString: $0) } }
  }
}
