// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
internal import Synchronization
public import SystemPackage

/// A GNU make jobserver: a pipe that holds a byte for each job that may run.
///
/// A process that starts a make takes one job for it first; what that make starts takes further ones.
public final class JobServer: Sendable {
  private let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor
  private static let token = UInt8(ascii: "+")

  /// Makes a jobserver with this many jobs, at least one.
  ///
  /// - Throws: `HostError` where no pipe can be had.
  public init(jobs: Int) throws(HostError) {
    var ends: (CInt, CInt) = (-1, -1)
    let code = withUnsafeMutablePointer(to: &ends) {
      $0.withMemoryRebound(to: CInt.self, capacity: 2) { pipe2($0, O_CLOEXEC) }
    }
    guard code == 0 else { throw HostError("make a pipe for", "make", .current) }
    _ = fcntl(ends.0, F_SETFL, O_NONBLOCK)
    readEnd = FileDescriptor(rawValue: ends.0)
    writeEnd = FileDescriptor(rawValue: ends.1)
    for _ in 0..<max(jobs, 1) { putBack() }
  }

  deinit {
    try? readEnd.close()
    try? writeEnd.close()
  }

  /// The numbers under which a make finds the two ends: scripts that redirect 3 or 9 may stand between.
  private static let (readNumber, writeNumber): (CInt, CInt) = (173, 174)

  /// What a make needs in its `MAKEFLAGS` to find the jobserver.
  public static let makeFlags = "-j --jobserver-auth=\(readNumber),\(writeNumber)"

  /// The descriptors that a make needs to inherit.
  public var descriptors: [CInt: FileDescriptor] {
    [Self.readNumber: readEnd, Self.writeNumber: writeEnd]
  }

  /// Runs work while holding one job; a cancelled task waits for none.
  public func withJob<Value: Sendable>(_ body: () async -> Value) async -> Value {
    let waiter = Waiter(end: readEnd.rawValue)
    await withTaskCancellationHandler {
      await onOwnThread { waiter.wait() }
    } onCancel: {
      waiter.giveUp()
    }
    defer { if waiter.hasJob { putBack() } }
    return await body()
  }

  /// Waits for one byte of the pipe.
  private final class Waiter: Sendable {
    private enum State { case waiting, holding, givenUp }
    private let end: CInt
    private let state = Mutex(State.waiting)

    init(end: CInt) { self.end = end }

    var hasJob: Bool { state.withLock { $0 == .holding } }

    func giveUp() {
      state.withLock { if $0 == .waiting { $0 = .givenUp } }
    }

    func wait() {
      let pollMilliseconds: CInt = 100
      while state.withLock({ $0 == .waiting }) {
        var ready = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, pollMilliseconds) == 1 else { continue }
        var byte: UInt8 = 0
        // Another may have been faster; the end is non-blocking, as make sets it, so that shows at once.
        guard read(end, &byte, 1) == 1 else { continue }
        state.withLock { $0 = .holding }
      }
    }
  }

  private func putBack() {
    withUnsafePointer(to: Self.token) { _ = write(writeEnd.rawValue, $0, 1) }
  }
}
