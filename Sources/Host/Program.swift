// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc

/// This process as one that can be asked to end and then cleans up.
public enum Program {
  /// Does work in a task that SIGINT, SIGTERM and SIGHUP cancel.
  ///
  /// Call it before anything else: only threads that come after it leave the signals to it.
  public static func run<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value {
    // Whatever is made is for everyone to read, as the reference makes it.
    umask(0o022)
    // pacman may be gone by the time a line is written.
    signal(SIGPIPE, SIG_IGN)
    let signals = blockedSignals()
    let task = Task { await work() }
    let watcher = Task {
      await onOwnThread {
        var signals = signals
        var received: Int32 = 0
        sigwait(&signals, &received)
        task.cancel()
      }
    }
    defer { watcher.cancel() }
    return await task.value
  }

  private static func blockedSignals() -> sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    return signals
  }
}
