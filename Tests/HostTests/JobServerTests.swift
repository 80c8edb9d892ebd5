// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(60))) struct JobServerTests {
  /// How many do something at once, now and at most.
  private final class Occupancy: Sendable {
    private let counts = Mutex<(now: Int, most: Int, total: Int)>((0, 0, 0))
    var most: Int { counts.withLock { $0.most } }
    var total: Int { counts.withLock { $0.total } }
    var now: Int { counts.withLock { $0.now } }

    func enter() {
      counts.withLock { counts in
        counts.now += 1
        counts.total += 1
        counts.most = max(counts.most, counts.now)
      }
    }

    func leave() { counts.withLock { $0.now -= 1 } }
  }

  @Test(arguments: [1, 2, 3])
  func jobsAreNeverMoreThanTheLimit(_ limit: Int) async throws {
    let server = try JobServer(jobs: limit)
    let occupancy = Occupancy()
    await withTaskGroup { group in
      for _ in 0..<12 {
        group.addTask {
          await server.withJob {
            occupancy.enter()
            try? await Task.sleep(for: .milliseconds(5))
            occupancy.leave()
          }
        }
      }
    }
    #expect(occupancy.total == 12)
    #expect(occupancy.most <= limit)
  }

  @Test func asManyJobsAsTheLimitRunAtOnce() async throws {
    let server = try JobServer(jobs: 2)
    let occupancy = Occupancy()
    let met = await withTaskGroup { group in
      for _ in 0..<2 {
        group.addTask {
          await server.withJob {
            occupancy.enter()
            return (try? await eventually { occupancy.now == 2 || occupancy.total == 3 }) == true
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(met == [true, true])
  }

  @Test(arguments: [0, -1])
  func thereIsAlwaysOneJob(_ jobs: Int) async throws {
    let value = try await JobServer(jobs: jobs).withJob { 7 }
    #expect(value == 7)
  }

  @Test func moreJobsThanAPipeHoldsAreNotWaitedFor() async throws {
    let server = try JobServer(jobs: 70_000)
    #expect(server.makeFlags.hasPrefix("-j70000 "))
    let values = await withTaskGroup { group in
      for value in 1...3 { group.addTask { await server.withJob { value } } }
      return await group.reduce(0, +)
    }
    #expect(values == 6)
  }

  @Test func makesShareTheJobs() async throws {
    let directory = try TemporaryDirectory()
    let targets = (1...6).map { "t\($0)" }.joined(separator: " ")
    try directory.write(
      """
      all: \(targets)
      \(targets):
      \t@echo start >> log; sleep 0.05; echo end >> log
      """, to: "Makefile")
    let server = try JobServer(jobs: 2)
    let results = try await withThrowingTaskGroup { group in
      for _ in 0..<3 { group.addTask { try await make(in: directory, server) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for result in results {
      #expect(result.isSuccess)
      #expect(result.errorText == "")
    }
    let marks = (Disk.text(directory.path.appending("log")) ?? "").split(separator: "\n")
    #expect(marks.count { $0 == "start" } == 18)
    #expect(marks.count { $0 == "end" } == 18)
    var running = 0
    for mark in marks {
      running += mark == "start" ? 1 : -1
      #expect(running <= 2)
    }
  }

  @Test func makeTakesTheJobsThatAreFree() async throws {
    try await expectBothJobsAreFree(JobServer(jobs: 2))
  }

  @Test func whatAKilledMakeHeldIsThereAgain() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("all: a b\na b:\n\t@: > $@.started; sleep 300\n", to: "Makefile")
    let server = try JobServer(jobs: 2)
    let run = Task { try await make(in: directory, server) }
    let hasBoth = try await eventually {
      ["a", "b"].allSatisfy { Disk.isFile(directory.path.appending("\($0).started")) }
    }
    #expect(hasBoth)
    run.cancel()
    #expect(try await !run.value.isSuccess)
    try await expectBothJobsAreFree(server)
  }

  // MARK: A caller's jobs

  /// What a make hands to a make that it starts: a pipe with a byte for each job but the one that it gives by starting it.
  private final class Caller: Sendable {
    let readEnd: CInt
    let writeEnd: CInt

    init(_ tokens: String) throws {
      var ends: [CInt] = [-1, -1]
      try #require(pipe(&ends) == 0)
      (readEnd, writeEnd) = (ends[0], ends[1])
      put(tokens)
    }

    deinit { for end in [readEnd, writeEnd] { close(end) } }

    var makeFlags: String { "-j3 --jobserver-auth=\(readEnd),\(writeEnd)" }

    func put(_ tokens: String) { _ = write(writeEnd, tokens, tokens.utf8.count) }

    /// The jobs that are there; they are put back.
    var tokens: String {
      var bytes = [UInt8](repeating: 0, count: 64)
      var ready = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 0) == 1 else { return "" }
      let count = read(readEnd, &bytes, bytes.count)
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      put(text)
      return String(text.sorted())
    }
  }

  private func join(_ flags: String) throws -> JobServer {
    try #require(JobServer.joined(["MAKEFLAGS": flags], processors: 8))
  }

  @Test func theCallersJobsAreUsedAndGivenBackAsTheyWere() async throws {
    let caller = try Caller("ab")
    let server = try join(caller.makeFlags)
    #expect(server.jobs == 3)
    let occupancy = Occupancy()
    await withTaskGroup { group in
      for _ in 0..<12 {
        group.addTask {
          await server.withJob {
            occupancy.enter()
            _ = try? await eventually { occupancy.now == 3 || occupancy.total == 12 }
            occupancy.leave()
          }
        }
      }
    }
    #expect(occupancy.total == 12 && occupancy.most == 3)
    #expect(caller.tokens == "ab")
  }

  @Test func whereTheCallerHasNoneToSpareThereIsItsOwnJob() async throws {
    let caller = try Caller("")
    let server = try join(caller.makeFlags)
    for _ in 0..<3 { #expect(await server.withJob { caller.tokens } == "") }
    #expect(caller.tokens == "")
  }

  @Test func makesTakeTheCallersJobs() async throws {
    let caller = try Caller("++")
    try await expectBothJobsAreFree(try join(caller.makeFlags))
    #expect(caller.tokens == "++")
  }

  @Test func aNamedPipeIsJoinedToo() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("jobs")
    try #require(mkfifo(path.string, 0o600) == 0)
    let keeper = try FileDescriptor.open(path, .readWrite)
    try keeper.writeAll(Array("++".utf8))
    let server = try join(" -j3 --jobserver-auth=fifo:\(path) -- CC=gcc")
    try await expectBothJobsAreFree(server)
    let rest = try [UInt8](unsafeUninitializedCapacity: 8) { buffer, count in
      count = try keeper.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    #expect(rest == Array("++".utf8))
    try keeper.close()
  }

  @Test(arguments: [
    "", "-j3", "-j3 --jobserver-auth=-2,-2", "-j3 --jobserver-auth=0,1", "-j3 --jobserver-auth=400,401",
    "-j3 --jobserver-auth=fifo:/nonexistent", "-j3 --jobserver-auth=fifo:/etc/passwd",
    "-j3 -- --jobserver-auth=READ,WRITE", "-j3 --jobserver-auth=READ,READ", "-j3 --jobserver-auth=WRITE,READ",
    "-j3 --jobserver-auth=READ", "-j3 --jobserver-auth=READ,WRITE --jobserver-auth=400,401",
  ])
  func whatIsNoJobserverIsNotJoined(_ flags: String) throws {
    let caller = try Caller("+")
    let flags = flags.replacing("READ", with: "\(caller.readEnd)").replacing(
      "WRITE", with: "\(caller.writeEnd)")
    #expect(JobServer.joined(["MAKEFLAGS": flags], processors: 8) == nil)
    #expect(JobServer.joined([:], processors: 8) == nil)
  }

  /// A make passes on nothing to a program that it does not take for a make, whose own files then get the numbers.
  @Test func filesOfThisProcessAreNotTakenForTheCallers() throws {
    let caller = try Caller("+")
    for end in [caller.readEnd, caller.writeEnd] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    #expect(JobServer.joined(["MAKEFLAGS": caller.makeFlags], processors: 8) == nil)
  }

  @Test func aMakeWithoutTheJobserverGetsItsShare() throws {
    #expect(try JobServer(jobs: 8, makes: 3).makeFlags.hasPrefix("-j2 "))
    #expect(try JobServer(jobs: 2, makes: 3).makeFlags.hasPrefix("-j1 "))
    #expect(try JobServer(jobs: 8, makes: 0).makeFlags.hasPrefix("-j8 "))
  }

  private func expectBothJobsAreFree(_ server: JobServer) async throws {
    let directory = try TemporaryDirectory()
    // Each waits for the other, which only helps if both run.
    try directory.write(
      """
      all: a b
      a b:
      \t@: > $@.started; for try in $$(seq 6000); do \\
      \t  if [ -e a.started ] && [ -e b.started ]; then exit 0; fi; sleep 0.05; done; exit 1
      """, to: "Makefile")
    let result = try await make(in: directory, server)
    #expect(result.isSuccess)
    #expect(result.errorText == "")
  }

  private func make(in directory: TemporaryDirectory, _ server: JobServer) async throws -> CommandResult {
    try await server.withJob {
      await Result<CommandResult, any Error> {
        try await ProcessLauncher().run(
          Command(
            "make", [], environment: ["PATH": "/usr/bin:/bin", "MAKEFLAGS": server.makeFlags],
            directory: directory.path, descriptors: server.descriptors))
      }
    }.get()
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
