// SPDX-License-Identifier: GPL-2.0-or-later

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
