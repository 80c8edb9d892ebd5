// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
public import SystemPackage

extension FileDescriptor {
  /// Reads all that is left, but no more than this many bytes.
  ///
  /// - Throws: `Errno` where a read failed.
  public func readToEnd(atMost limit: Int = .max, expecting size: Int = 0) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let size = max(0, min(size, limit))
    bytes.reserveCapacity(size)
    let greatestChunk = 1 << 16
    while bytes.count < limit {
      // Asking for one byte more than expected shows the end of the file in the same call.
      let count = min(
        greatestChunk, limit - bytes.count, max(min(size - bytes.count, greatestChunk) + 1, 1 << 12))
      let chunk = try [UInt8](unsafeUninitializedCapacity: count) { buffer, count in
        count = try read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }
}

extension FileDescriptor {
  /// Makes a pipe that a child inherits only if asked to.
  ///
  /// - Throws: `Errno` where the system refuses one.
  static func closedOnExecPipe() throws(Errno) -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
    var ends: (CInt, CInt) = (-1, -1)
    let code = withUnsafeMutablePointer(to: &ends) {
      $0.withMemoryRebound(to: CInt.self, capacity: 2) { CLinux.pipe2($0, O_CLOEXEC) }
    }
    guard code == 0 else { throw .current }
    return (FileDescriptor(rawValue: ends.0), FileDescriptor(rawValue: ends.1))
  }

  /// The size of the file in bytes, wherever it is read or written; two of them can be added.
  var size: Int64 { min((try? stat())?.size ?? 0, 1 << 60) }
}

extension Errno {
  /// The error of the system call that has just failed on this thread.
  static var current: Errno { Errno(rawValue: errno) }
}
