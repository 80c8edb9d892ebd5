// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc

/// Turns the signals that ask a program to end into the cancellation of its work.
public enum Interruption {
  /// Does work in a task that SIGINT, SIGTERM and SIGHUP cancel, so that it can clean up.
  ///
  /// Call it before anything else: only threads that come after it leave the signals to it.
  public static func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value
  {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    // pacman may be gone by the time a line is written.
    signal(SIGPIPE, SIG_IGN)
    let waited = signals
    let task = Task { await work() }
    let watcher = Task {
      await onOwnThread {
        var signals = waited
        var received: Int32 = 0
        sigwait(&signals, &received)
        task.cancel()
      }
    }
    defer { watcher.cancel() }
    return await task.value
  }
}
