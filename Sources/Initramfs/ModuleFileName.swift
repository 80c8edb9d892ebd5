// SPDX-License-Identifier: GPL-2.0-or-later

/// The name of a file that holds a kernel module, compressed or not.
struct ModuleFileName {
  /// The module, with `_` for `-` as the kernel writes it.
  let module: String
  private static let suffixes = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"]

  /// Recognizes one; nil for every other file.
  init?(_ file: some StringProtocol) {
    guard let suffix = Self.suffixes.first(where: file.hasSuffix), file.count > suffix.count else {
      return nil
    }
    module = Self.normalized(file.dropLast(suffix.count))
  }

  /// A module's name as the kernel writes it.
  static func normalized(_ name: some StringProtocol) -> String {
    String(name.map { $0 == "-" ? "_" : $0 })
  }
}
