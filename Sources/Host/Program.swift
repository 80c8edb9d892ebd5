// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc

/// This process as one that can be asked to end and then cleans up.
public enum Program {
  /// Does work in a task that SIGINT, SIGTERM and SIGHUP cancel, and ends with the status it returns.
  ///
  /// Call it from the main thread before anything else: threads that are there already would take the signals.
  public static func run(_ work: @escaping @Sendable () async -> Int32) -> Never {
    // Everyone can read the files made here, as with the reference.
    umask(0o022)
    // pacman may be gone by the time a line is written.
    signal(SIGPIPE, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let task = Task.detached { exit(await work()) }
    while true {
      var received: Int32 = 0
      sigwait(&signals, &received)
      task.cancel()
    }
  }
}
