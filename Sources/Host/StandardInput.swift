// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

extension FileDescriptor {
  /// The lines of a stream up to its end, as bytes; the last one need not end in a newline.
  ///
  /// All of it is read, since a writer without a reader fails.
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
