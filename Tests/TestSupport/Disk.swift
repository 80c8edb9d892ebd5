// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
package import Host
package import SystemPackage

/// Questions of tests to the disk; a test cannot go on from a look that fails.
package enum Disk {
  package static func kind(_ path: FilePath) -> Files.Kind? { answer(path, Files.kind) }
  package static func exists(_ path: FilePath) -> Bool { answer(path, Files.exists) }
  package static func isDirectory(_ path: FilePath) -> Bool { answer(path, Files.isDirectory) }
  package static func isFile(_ path: FilePath) -> Bool { answer(path, Files.isFile) }
  package static func isExecutable(_ path: FilePath) -> Bool { answer(path, Files.isExecutable) }
  package static func isWritable(_ path: FilePath) -> Bool { answer(path, Files.isWritable) }
  package static func list(_ path: FilePath) -> [String] {
    answer(path) { path throws(HostError) in try Files.list(path) }
  }
  package static func components(of path: FilePath) -> [FilePath.Component] { answer(path, Files.components) }
  package static func resolved(_ path: FilePath) -> FilePath? { answer(path, Files.resolved) }
  package static func linkTarget(_ path: FilePath) -> FilePath? { answer(path, Files.linkTarget) }
  package static func size(_ path: FilePath) -> Int? { answer(path, Files.size) }
  package static func modificationTime(_ path: FilePath) -> Int? { answer(path, Files.modificationTime) }
  package static func digest(_ path: FilePath) -> String? {
    answer(path) { path throws(HostError) in try Files.digest(path) }
  }
  package static func text(_ path: FilePath) -> String? { answer(path, Files.text) }

  /// Sets the time of the last change, in seconds since 1970.
  package static func setTime(of path: FilePath, to seconds: Int) throws {
    let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
    guard utimensat(AT_FDCWD, path.string, times, 0) == 0 else { throw Errno(rawValue: errno) }
  }

  private static func answer<Value>(
    _ path: FilePath, _ look: (FilePath) throws(HostError) -> Value
  ) -> Value {
    answer { () throws(HostError) in try look(path) }
  }

  /// The answer to any other question.
  package static func answer<Value>(_ look: () throws(HostError) -> Value) -> Value {
    do { return try look() } catch { preconditionFailure("\(error)") }
  }
}
