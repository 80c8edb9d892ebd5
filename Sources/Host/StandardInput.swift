// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

extension FileDescriptor {
  /// The lines of a stream, to its end, text or not; one without an end of its own counts too.
  ///
  /// All of it is read, since a writer that finds nobody reading fails.
  ///
  /// - Throws: `HostError`.
  public func lines() throws(HostError) -> [[UInt8]] {
    do {
      return try readToEnd().split(separator: UInt8(ascii: "\n")).map(Array.init)
    } catch {
      throw HostError("read", "standard input", error as? Errno ?? .ioError)
    }
  }
}
