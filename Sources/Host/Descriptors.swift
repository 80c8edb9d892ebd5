// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

extension FileDescriptor {
  /// Reads all that is left.
  ///
  /// - Throws: `Errno`.
  public func readToEnd() throws -> [UInt8] {
    var bytes: [UInt8] = []
    let size = 1 << 16
    while true {
      let chunk = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = try read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
  }
}

extension Errno {
  /// The error of the system call that has just failed on this thread.
  static var current: Errno { Errno(rawValue: errno) }
}
