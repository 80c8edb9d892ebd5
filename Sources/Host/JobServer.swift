// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
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
      $0.withMemoryRebound(to: CInt.self, capacity: 2) { pipe($0) }
    }
    guard code == 0 else { throw HostError("make a pipe for", "make", .current) }
    readEnd = FileDescriptor(rawValue: ends.0)
    writeEnd = FileDescriptor(rawValue: ends.1)
    for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    for _ in 0..<max(jobs, 1) { putBack() }
  }

  deinit {
    try? readEnd.close()
    try? writeEnd.close()
  }

  /// The numbers under which a make finds the two ends.
  private static let (readNumber, writeNumber): (CInt, CInt) = (3, 4)

  /// What a make needs in its `MAKEFLAGS` to find the jobserver.
  public static let makeFlags = "-j --jobserver-auth=\(readNumber),\(writeNumber)"

  /// The descriptors that a make needs to inherit.
  public var descriptors: [CInt: FileDescriptor] {
    [Self.readNumber: readEnd, Self.writeNumber: writeEnd]
  }

  /// Runs work while holding one job.
  public func withJob<Value: Sendable>(_ body: () async -> Value) async -> Value {
    await take()
    defer { putBack() }
    return await body()
  }

  private func take() async {
    let end = readEnd.rawValue
    await onOwnThread {
      var byte: UInt8 = 0
      // make turns the shared end non-blocking, so an empty pipe may also say EAGAIN.
      while read(end, &byte, 1) != 1 {
        var ready = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        poll(&ready, 1, -1)
      }
    }
  }

  private func putBack() {
    withUnsafePointer(to: Self.token) { _ = write(writeEnd.rawValue, $0, 1) }
  }
}
