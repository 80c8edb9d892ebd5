// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// A temporary directory for one call; it is removed with the value.
///
/// It is locked while it is in use: an unlocked one was left by a call that was killed.
public struct ScratchDirectory: ~Copyable, Sendable {
  /// Where it is.
  public let path: FilePath
  private let lock: DirectoryLock

  private static let prefix = "alpm-dkms-call."

  /// Makes a directory of this user's own.
  ///
  /// - Throws: `HostError` where it cannot be made or locked.
  public init(in parent: FilePath) throws(HostError) {
    // A run that sweeps may get here before the lock is taken.
    for _ in 0..<10 {
      let path = try Files.makeTemporaryDirectory(in: parent, prefix: Self.prefix)
      if let lock = DirectoryLock.tryExclusive(path) {
        self.path = path
        self.lock = lock
        return
      }
    }
    throw HostError("lock a directory in", parent, .resourceBusy)
  }

  deinit { try? Files.remove(path) }

  /// Removes it.
  public consuming func discard() {}

  /// Those of this user that killed calls have left in a directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func abandoned(in parent: FilePath) throws(HostError) -> [FilePath] {
    try candidates(in: parent).filter { DirectoryLock.tryExclusive($0) != nil }
  }

  /// Clears away what killed calls of this user have left in a directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func sweep(_ parent: FilePath) throws(HostError) {
    for path in try candidates(in: parent) {
      guard let lock = DirectoryLock.tryExclusive(path) else { continue }
      try? Files.remove(path)
      lock.release()
    }
  }

  /// Only this user can change the contents of one of these while it is being removed.
  private static func candidates(in parent: FilePath) throws(HostError) -> [FilePath] {
    // The directory for temporary files may hold thousands of entries.
    try Files.list(parent, beginningWith: prefix).map(parent.appending).where(Files.isPrivateDirectory)
  }
}
