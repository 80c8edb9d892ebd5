// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
public import SystemPackage

/// A GNU make jobserver: a pipe that holds a byte for each job that may run.
///
/// A process that starts a make first takes one job for it; what that make starts takes more.
public final class JobServer: Sendable {
  /// How many jobs may run at once, at least one.
  public let jobs: Int
  /// How many jobs a make gets that has lost the jobserver.
  private let share: Int
  /// How many of them may run at once: no more than there are bytes in a page, which every pipe can hold.
  private let tokens: Int
  private static let greatestTokens = 4096
  private let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor
  private let isJoined: Bool
  private let state: Mutex<State>

  private struct State {
    /// How many hold a job that they took from here.
    var holders = 0
    /// Whether the job is free that a make has given to this process by starting it.
    var hasOwnJob: Bool
  }

  /// A job that somebody holds.
  private enum Job {
    /// The one that this process was started as.
    case own
    /// One from the pipe, to be put back as it was.
    case token(UInt8)
  }

  /// Makes a jobserver with this many jobs, at least one and no more than 4096.
  ///
  /// - Parameters:
  ///   - jobs: How many jobs.
  ///   - makes: How many makes are going to run at once.
  /// - Throws: `HostError` where no pipe can be had.
  public init(jobs: Int, makes: Int = 1) throws(HostError) {
    self.jobs = max(jobs, 1)
    share = Self.share(of: self.jobs, makes)
    tokens = min(self.jobs, Self.greatestTokens)
    isJoined = false
    state = Mutex(State(hasOwnJob: false))
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

  private init(_ caller: CallersJobs, makes: Int, processors: Int) {
    jobs = max(caller.jobs ?? processors, 1)
    share = Self.share(of: jobs, makes)
    tokens = 0
    (readEnd, writeEnd) = (caller.readEnd, caller.writeEnd)
    isJoined = true
    state = Mutex(State(hasOwnJob: true))
  }

  /// Joins the jobserver of the make that this process was started by.
  ///
  /// - Parameters:
  ///   - environment: `MAKEFLAGS` tells of it.
  ///   - makes: How many makes are going to run at once.
  ///   - processors: How many jobs there are if it does not tell.
  /// - Returns: Its jobs; nil where there is none that can be used.
  public static func joined(_ environment: [String: String], makes: Int = 1, processors: Int) -> JobServer? {
    CallersJobs(environment["MAKEFLAGS"] ?? "").map { JobServer($0, makes: makes, processors: processors) }
  }

  private static func share(of jobs: Int, _ makes: Int) -> Int { max(jobs / max(makes, 1), 1) }

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
  /// and without a number it would have no limit. It gets its share of the jobs.
  public var makeFlags: String { "-j\(share) --jobserver-auth=\(Self.readNumber),\(Self.writeNumber)" }

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
    defer { if let job = waiter.job { putBack(job) } }
    return await body()
  }

  /// Somebody who waits for a job.
  private final class Waiter: Sendable {
    enum State { case waiting, holding(Job), givenUp }
    let state = Mutex(State.waiting)

    var job: Job? { state.withLock { if case .holding(let job) = $0 { job } else { nil } } }

    var isWaiting: Bool { state.withLock { if case .waiting = $0 { true } else { false } } }

    func giveUp() {
      state.withLock { if case .waiting = $0 { $0 = .givenUp } }
    }
  }

  private func wait(_ waiter: Waiter) {
    let pollMilliseconds: CInt = 100
    while waiter.isWaiting {
      if let job = take() {
        waiter.state.withLock { $0 = .holding(job) }
      } else {
        var ready = pollfd(fd: readEnd.rawValue, events: Int16(POLLIN), revents: 0)
        // Another process may take the job first; then there is none left.
        poll(&ready, 1, pollMilliseconds)
      }
    }
  }

  private func take() -> Job? {
    state.withLock { state in
      if state.hasOwnJob {
        state.hasOwnJob = false
        return .own
      }
      guard let token = readToken() else { return nil }
      state.holders += 1
      return .token(token)
    }
  }

  private func putBack(_ job: Job) {
    state.withLock { state in
      guard case .token(let token) = job else {
        state.hasOwnJob = true
        return
      }
      state.holders -= 1
      // A make that was killed has lost the jobs it held. While none are held, all must be here, unless others hold them.
      if state.holders == 0, !isJoined { fill() } else { writeToken(token) }
    }
  }

  /// Sees to it that every job is here, and no more.
  private func fill() {
    while readToken() != nil {}
    for _ in 0..<tokens { writeToken(UInt8(ascii: "+")) }
  }

  /// Takes a byte if there is one: the end is non-blocking, as make sets it.
  private func readToken() -> UInt8? {
    var byte: UInt8 = 0
    return read(readEnd.rawValue, &byte, 1) == 1 ? byte : nil
  }

  private func writeToken(_ token: UInt8) {
    withUnsafePointer(to: token) { _ = write(writeEnd.rawValue, $0, 1) }
  }
}

/// The jobserver of the make that has started this process, opened anew, so that nothing that is set here changes what the
/// make has open.
private struct CallersJobs {
  let readEnd: FileDescriptor
  let writeEnd: FileDescriptor
  /// How many jobs there are; nil where it is not told.
  let jobs: Int?

  /// Finds it by what a make writes to `MAKEFLAGS`: `--jobserver-auth=3,4`, or `--jobserver-auth=fifo:PATH`.
  init?(_ flags: String) {
    let words = flags.split(separator: " ").prefix { $0 != "--" }
    let names = ["--jobserver-auth=", "--jobserver-fds="]
    let values = words.compactMap { word in
      names.first(where: word.hasPrefix).map { word.dropFirst($0.count) }
    }
    // The last one counts, as with make.
    guard let paths = values.last.flatMap({ Self.paths(String($0)) }),
      let readEnd = Self.open(paths.read, .readOnly)
    else { return nil }
    guard let writeEnd = Self.open(paths.write, .writeOnly) else {
      try? readEnd.close()
      return nil
    }
    (self.readEnd, self.writeEnd) = (readEnd, writeEnd)
    jobs = words.last { $0.hasPrefix("-j") }.flatMap { Int($0.dropFirst(2)) }
  }

  private static func paths(_ value: String) -> (read: FilePath, write: FilePath)? {
    if value.hasPrefix("fifo:") {
      let path = FilePath(String(value.dropFirst(5)))
      return (path, path)
    }
    let numbers = value.split(separator: ",").compactMap { CInt($0) }
    guard numbers.count == 2, isInheritedPipe(numbers[0], numbers[1]) else { return nil }
    return (FilePath("/proc/self/fd/\(numbers[0])"), FilePath("/proc/self/fd/\(numbers[1])"))
  }

  /// Whether two descriptors are the ends of a pipe that the caller has passed on.
  ///
  /// A make passes none to a program that it does not take for a make. Their numbers may then be those of files that this
  /// process has opened, all of which a child does not get.
  private static func isInheritedPipe(_ readEnd: CInt, _ writeEnd: CInt) -> Bool {
    var ends = [stat(), stat()]
    for (index, descriptor) in [readEnd, writeEnd].enumerated() {
      guard descriptor > STDERR_FILENO, fstat(descriptor, &ends[index]) == 0 else { return false }
      let (flags, mode) = (fcntl(descriptor, F_GETFD), fcntl(descriptor, F_GETFL) & O_ACCMODE)
      guard flags & FD_CLOEXEC == 0, mode == O_RDWR || mode == (index == 0 ? O_RDONLY : O_WRONLY) else {
        return false
      }
    }
    return ends[0].st_ino == ends[1].st_ino && ends[0].st_dev == ends[1].st_dev
  }

  private static func open(_ path: FilePath, _ mode: FileDescriptor.AccessMode) -> FileDescriptor? {
    guard
      let descriptor = try? FileDescriptor.open(path, mode, options: [.nonBlocking, .closeOnExec])
    else { return nil }
    var status = stat()
    if fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { return descriptor }
    try? descriptor.close()
    return nil
  }
}
