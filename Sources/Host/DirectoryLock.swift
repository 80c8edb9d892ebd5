// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

/// A lock on a directory itself, held until the value ends; no lock file can be left behind.
///
/// A run that holds one of these may wait for those below it, and for none above it; so no two wait for each
/// other.
///
/// 1. The state of images: exclusive while images are made.
/// 2. The registration of a module version: shared by what works on one of its builds, exclusive for what adds,
///    removes or relinks it.
/// 3. Its products for one kernel: exclusive for what builds, loads, installs, uninstalls or removes that
///    build, shared by what packs it. A run that needs those of several kernels takes them in the order of
///    their names.
/// 4. One of: the source of the module, for a build that writes there; the record of its failures; the source
///    tree.
/// 5. The directory of one kernel: exclusive for what changes its modules or their indexes.
///
/// What sweeps, prunes or repairs never waits: it takes each lock if it is free, and leaves the thing alone if not.
/// `docs/locks.md` goes through the pairs.
public struct DirectoryLock: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  /// Whether others may hold the lock at the same time.
  public enum Mode: Sendable {
    /// Others may hold it too, if they share it.
    case shared
    /// Nobody else holds it.
    case exclusive

    fileprivate var operation: Int32 { self == .shared ? LOCK_SH : LOCK_EX }
  }

  private init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  deinit {
    // Closing is not enough: a child that is being started holds a copy until its program runs.
    flock(descriptor.rawValue, LOCK_UN)
    try? descriptor.close()
  }

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - directory: What is locked.
  ///   - mode: Whether it is shared.
  ///   - creates: Whether the directory is made where there is none.
  ///   - patience: How long to wait silently for another holder.
  ///   - onContention: Told of another process that holds it, when first it has to be waited for and then every second.
  ///   - onWait: Called if that was not long enough.
  /// - Returns: The lock, held.
  /// - Throws: `HostError`, also where the task is cancelled.
  public static func acquire(
    _ directory: FilePath, _ mode: Mode, creates: Bool = true, patience: Duration = .seconds(2),
    onContention: (LockHolder) -> Void = { _ in }, onWait: () -> Void
  ) async throws(HostError) -> DirectoryLock {
    while true {
      if creates { try Files.makeLastingDirectories(directory) }
      guard
        let descriptor = try? FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec])
      else {
        if errno == ENOENT, creates { continue }
        throw HostError("lock", directory, .current)
      }
      let lock = DirectoryLock(descriptor)
      let clock = ContinuousClock()
      let start = clock.now
      var isAnnounced = false
      var attempts = 0
      while flock(descriptor.rawValue, mode.operation | LOCK_NB) != 0 {
        if attempts % 100 == 0 { LockHolder.ofLock(on: descriptor).map(onContention) }
        attempts += 1
        // The lock is polled, because a blocking call could not be cancelled.
        guard (try? await Task.sleep(for: .milliseconds(10))) != nil else {
          throw HostError("lock", directory, .interrupted)
        }
        if !isAnnounced, clock.now - start >= patience {
          onWait()
          isAnnounced = true
        }
      }
      // The previous holder may have removed the directory, and another process may have made it again.
      if lock.stillNames(directory) { return lock }
    }
  }

  /// Takes the lock exclusively if nobody holds it and the directory is there.
  public static func tryExclusive(_ directory: FilePath) -> DirectoryLock? {
    guard
      let descriptor = try? FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec])
    else { return nil }
    let lock = DirectoryLock(descriptor)
    guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0, lock.stillNames(directory) else { return nil }
    return lock
  }

  /// Gives the lock up.
  public consuming func release() {}

  private func stillNames(_ directory: FilePath) -> Bool {
    var held = stat()
    var named = stat()
    return fstat(descriptor.rawValue, &held) == 0 && stat(directory.string, &named) == 0
      && held.st_ino == named.st_ino && held.st_dev == named.st_dev
  }
}
