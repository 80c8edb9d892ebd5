// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage

/// A directory that goes with the last reference to it.
public final class TemporaryDirectory: Sendable {
  /// Where it is.
  public let path: FilePath

  /// Where there is memory to write to, else on the disk: what is written there is brought to the disk at no cost.
  ///
  /// Programs must be allowed to run there, and containers may give it a few megabytes only.
  public static let memory: FilePath = {
    let memory: FilePath = "/dev/shm"
    var status = statvfs()
    guard Disk.isWritable(memory), statvfs(memory.string, &status) == 0 else { return "/tmp" }
    let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    // ST_NOEXEC, which Swift does not see.
    return status.f_flag & 8 == 0 && free >= 1 << 30 ? memory : "/tmp"
  }()

  /// Makes a directory below `parent`.
  public init(in parent: FilePath = "/tmp") throws {
    path = try Files.makeTemporaryDirectory(in: parent, prefix: "alpm-dkms-test.")
  }

  deinit { try? Files.remove(path) }

  /// Writes a file below the directory, with the directories above it.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> FilePath {
    let file = path.appending(FilePath(name).components)
    try Files.makeDirectories(file.removingLastComponent())
    try Files.write(Array(text.utf8), to: file)
    return file
  }

  /// Every path below, links with their targets, sorted: what a tree looks like at a glance.
  public func listing(of name: String = "") -> [String] {
    TemporaryDirectory.listing(of: path.appending(FilePath(name).components))
  }

  /// The same for any directory.
  public static func listing(of directory: FilePath) -> [String] {
    Disk.list(directory).flatMap { entry -> [String] in
      let path = directory.appending(entry)
      switch Disk.kind(path) {
      case .directory: return ["\(entry)/"] + listing(of: path).map { "\(entry)/\($0)" }
      case .link: return ["\(entry) -> \(Disk.linkTarget(path) ?? "")"]
      default: return [entry]
      }
    }
  }
}
