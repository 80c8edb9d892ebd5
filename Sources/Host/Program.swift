// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// This process as one that can be asked to end and then cleans up.
public enum Program {
  /// Does work in a task that SIGINT, SIGTERM and SIGHUP cancel, and ends with the status it returns.
  ///
  /// Call it from the main thread before anything else: threads that are there already would take the signals.
  public static func run(_ work: @escaping @Sendable () async -> Int32) -> Never {
    prepare()
    // Everyone can read the files made here, as with the reference.
    umask(0o022)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let start = ConcurrencyStart()
    let task = Task.detached {
      await start.wait()
      let status = await work()
      end(status == 0 && Task.isCancelled ? interrupted : status)
    }
    while true {
      var patience = timespec(tv_sec: ConcurrencyStart.patienceSeconds, tv_nsec: 0)
      let hasSignal = sigtimedwait(&signals, nil, &patience) > 0
      if hasSignal { task.cancel() }
      // Nothing has been done yet.
      if start.isOver { continue }
      if hasSignal { exit(interrupted) }
      ConcurrencyStart.refuse()
    }
  }

  /// Gets ready to print, and to run programs; to be called before anything else.
  public static func prepare() {
    StandardStreams.occupy()
    VirtualFiles.provide()
    // pacman may be gone by the time a line is written.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Ends the process; 0 becomes 1 where something that was to be printed is lost.
  public static func end(_ status: Int32) -> Never {
    guard let error = Console.lostOutput else { exit(status) }
    Console.live().printError("==> ERROR: cannot write to standard output: \(error)")
    exit(status == 0 ? 1 : status)
  }

  /// As a shell counts the end by SIGINT, and as the reference does.
  private static let interrupted: Int32 = 130
}

/// The start of the runtime's threads, which abort the process where the system refuses them something.
///
/// What they ask for is tried before, so that the process can say what is refused. If they are refused it all the same,
/// the process says so, too.
private final class ConcurrencyStart: Sendable {
  /// A refused thread is asked for again every second, for ever.
  static let patienceSeconds = 60
  private static let traps = [SIGILL, SIGTRAP, SIGABRT]
  private let handlers: [sigaction]
  private let hasEnded = Mutex(false)

  /// Whether the threads run.
  var isOver: Bool { hasEnded.withLock { $0 } }

  init() {
    for (call, attempt) in Self.calls {
      guard let error = attempt() else { continue }
      Console.live().printError("==> ERROR: cannot start: \(call): \(error)")
      exit(1)
    }
    handlers = Self.traps.map { trap in
      var old = sigaction()
      var new = sigaction()
      new.__sigaction_handler.sa_handler = { _ in ConcurrencyStart.refuse() }
      sigaction(trap, &new, &old)
      return old
    }
  }

  /// Returns when the runtime's threads and its timer work; from then on a trap is a mistake of ours.
  func wait() async {
    // This goes through all that they have asked the system for.
    try? await Task.sleep(for: .nanoseconds(1))
    for (trap, handler) in zip(Self.traps, handlers) {
      var handler = handler
      sigaction(trap, &handler, nil)
    }
    hasEnded.withLock { $0 = true }
  }

  /// Says that the threads cannot run and ends the process; a signal's handler may do this.
  static func refuse() -> Never {
    let words: StaticString = "==> ERROR: cannot start: the system refuses threads or descriptors\n"
    _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
    _exit(1)
  }

  /// What the threads ask the system for, by the names of the calls, with the error of each.
  private static let calls: [(name: String, attempt: @Sendable () -> Errno?)] = [
    ("epoll_create1", { descriptor(epoll_create1(O_CLOEXEC)) }),
    ("eventfd2", { descriptor(eventfd(0, O_CLOEXEC)) }),
    ("timerfd_create", { descriptor(timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC)) }),
    (
      "clone",
      {
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { _ in nil }, nil)
        if code == 0 { pthread_join(thread, nil) }
        return code == 0 ? nil : Errno(rawValue: code)
      }
    ),
  ]

  private static func descriptor(_ descriptor: CInt) -> Errno? {
    guard descriptor >= 0 else { return .current }
    close(descriptor)
    return nil
  }
}
