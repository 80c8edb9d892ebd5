// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

extension FileDescriptor {
  /// The lines of a stream, to its end; one without an end of its own counts too.
  ///
  /// Bytes that are not UTF-8 are replaced. All of it is read, since a writer that finds nobody reading fails.
  ///
  /// - Throws: `HostError`.
  public func lines() throws(HostError) -> [String] {
    do {
      return try readToEnd().split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    } catch {
      throw HostError("read", "standard input", error as? Errno ?? .ioError)
    }
  }
}
