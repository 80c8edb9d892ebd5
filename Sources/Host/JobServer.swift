// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
public import SystemPackage

/// A GNU make jobserver: a pipe that holds a byte for each job that may run.
///
/// A process that starts a make first takes one job for it; what that make starts takes more.
public final class JobServer: Sendable {
  /// How many jobs were asked for, at least one.
  public let jobs: Int
  /// How many of them may run at once: no more than there are bytes in a page, which every pipe can hold.
  private let tokens: Int
  private static let greatestTokens = 4096
  private let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor
  /// How many hold a job that they took from here.
  private let holders = Mutex(0)
  private static let token = UInt8(ascii: "+")

  /// Makes a jobserver with this many jobs, at least one and no more than 4096.
  ///
  /// - Throws: `HostError` where no pipe can be had.
  public init(jobs: Int) throws(HostError) {
    self.jobs = max(jobs, 1)
    tokens = min(self.jobs, Self.greatestTokens)
    do {
      (readEnd, writeEnd) = try FileDescriptor.closedOnExecPipe()
    } catch {
      throw HostError("make a pipe for", "make", error)
    }
    // Reading from an empty pipe must not block: whoever looks for a job would wait for ever.
    while fcntl(readEnd.rawValue, F_SETFL, O_NONBLOCK) < 0 {
      guard errno == EINTR else { throw HostError("make a pipe for", "make", Errno(rawValue: errno)) }
    }
    fill()
  }

  deinit {
    try? readEnd.close()
    try? writeEnd.close()
  }

  /// The descriptor numbers of the two ends for make; they are high, because scripts in between may redirect
  /// 3 or 9.
  private static let (readNumber, writeNumber): (CInt, CInt) = (173, 174)

  /// What a make needs in its `MAKEFLAGS` to find the jobserver.
  ///
  /// The number is for Makefiles that pass their `MAKEFLAGS` on as arguments: such a make has no jobserver,
  /// and without a number it would have no limit.
  public var makeFlags: String { "-j\(jobs) --jobserver-auth=\(Self.readNumber),\(Self.writeNumber)" }

  /// The descriptors that a make needs to inherit.
  public var descriptors: [CInt: FileDescriptor] {
    [Self.readNumber: readEnd, Self.writeNumber: writeEnd]
  }

  /// Runs work while holding one job; a cancelled task waits for none.
  public func withJob<Value: Sendable>(_ body: () async -> Value) async -> Value {
    let waiter = Waiter()
    await withTaskCancellationHandler {
      await onOwnThread { self.wait(waiter) }
    } onCancel: {
      waiter.giveUp()
    }
    defer { if waiter.hasJob { putBack() } }
    return await body()
  }

  /// Somebody who waits for a job.
  private final class Waiter: Sendable {
    enum State { case waiting, holding, givenUp }
    let state = Mutex(State.waiting)

    var hasJob: Bool { state.withLock { $0 == .holding } }

    func giveUp() {
      state.withLock { if $0 == .waiting { $0 = .givenUp } }
    }
  }

  private func wait(_ waiter: Waiter) {
    let pollMilliseconds: CInt = 100
    while waiter.state.withLock({ $0 == .waiting }) {
      var ready = pollfd(fd: readEnd.rawValue, events: Int16(POLLIN), revents: 0)
      // Another process may take the job first; then there is none left.
      guard poll(&ready, 1, pollMilliseconds) == 1, take() else { continue }
      waiter.state.withLock { $0 = .holding }
    }
  }

  private func take() -> Bool {
    holders.withLock { holders in
      guard readToken() else { return false }
      holders += 1
      return true
    }
  }

  private func putBack() {
    holders.withLock { holders in
      holders -= 1
      // A make that was killed has lost the jobs it held. While none are held, all must be here.
      if holders == 0 { fill() } else { writeToken() }
    }
  }

  /// Sees to it that every job is here, and no more.
  private func fill() {
    while readToken() {}
    for _ in 0..<tokens { writeToken() }
  }

  /// Takes a byte if there is one: the end is non-blocking, as make sets it.
  private func readToken() -> Bool {
    var byte: UInt8 = 0
    return read(readEnd.rawValue, &byte, 1) == 1
  }

  private func writeToken() {
    withUnsafePointer(to: Self.token) { _ = write(writeEnd.rawValue, $0, 1) }
  }
}
