// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

/// In which order builds start, and how many of them at once.
@Suite struct ScheduleTests {
  private let kernel: Kernel
  private let other: Kernel
  private var plan = Plan()

  init() throws {
    kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    other = try Kernel(release: KernelRelease("6.12.0"), architecture: "x86_64")
  }

  private func build(_ name: String, for kernel: Kernel? = nil) throws -> Build {
    Build(id: try module(name, "1.0"), kernel: kernel ?? self.kernel)
  }

  /// Adds a build and the installation after it; the number of the installation.
  @discardableResult
  private mutating func add(
    _ name: String, for kernel: Kernel? = nil, needs: [Int] = [], inSource: Bool = false
  ) throws -> Int {
    let build = try build(name, for: kernel)
    let step = plan.append(
      .build(build.id, build.kernel), because: .requested, requires: needs,
      basis: Basis(buildsInSource: inSource))
    return plan.append(.install(build.id, build.kernel), because: .requested, requires: [step])
  }

  private func schedule(_ places: Int, _ seconds: [String: Int] = [:]) throws -> Schedule {
    var times: [Build: Int] = [:]
    for (name, time) in seconds {
      for kernel in [kernel, other] { times[try build(name, for: kernel)] = time }
    }
    return Schedule(plan, places: places, seconds: times)
  }

  /// Starts all that can start.
  private func start(_ schedule: inout Schedule, hasRoom: Bool = true) -> [String] {
    var started: [String] = []
    while let index = schedule.next(hasRoom: { hasRoom }) { started.append(plan.lines[index]) }
    return started
  }

  private func end(_ line: String, _ schedule: inout Schedule, _ outcome: Outcome = .done(warnings: [])) {
    guard let index = plan.lines.firstIndex(of: line) else {
      Issue.record("there is no step \(line)")
      return
    }
    schedule.end(index, outcome)
  }

  private let failure = Outcome.failed(.system(operation: "try", subject: "it", reason: "it fails"))

  // MARK: Order

  @Test mutating func theLongestBuildGoesFirst() throws {
    for name in ["short", "long", "unknown", "middle"] { try add(name) }
    var schedule = try schedule(1, ["short": 5, "long": 300, "middle": 40])
    var order: [String] = []
    while !schedule.isOver {
      for line in start(&schedule) {
        if line.hasPrefix("build") { order.append(line) }
        end(line, &schedule)
      }
    }
    #expect(order == ["long", "middle", "short", "unknown"].map { "build \($0)/1.0 for 6.1.0" })
  }

  @Test mutating func equalsGoInTheOrderOfThePlan() throws {
    for name in ["b", "a", "c"] { try add(name) }
    var schedule = try schedule(3)
    #expect(start(&schedule) == ["b", "a", "c"].map { "build \($0)/1.0 for 6.1.0" })
  }

  @Test mutating func whatALongBuildWaitsForCounts() throws {
    try add("middle")
    let base = try add("base")
    try add("long", needs: [base])
    var schedule = try schedule(1, ["middle": 50, "base": 1, "long": 100])
    #expect(start(&schedule) == ["build base/1.0 for 6.1.0"])
    end("build base/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule) == ["install base/1.0 for 6.1.0", "build middle/1.0 for 6.1.0"])
    end("install base/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule).isEmpty, "there is one place")
    end("build middle/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule) == ["install middle/1.0 for 6.1.0", "build long/1.0 for 6.1.0"])
  }

  @Test mutating func aBuildWaitsForWhatItNeeds() throws {
    let base = try add("base")
    try add("long", needs: [base])
    var schedule = try schedule(4, ["base": 1, "long": 100])
    #expect(start(&schedule) == ["build base/1.0 for 6.1.0"])
    end("build base/1.0 for 6.1.0", &schedule, failure)
    #expect(start(&schedule) == ["install base/1.0 for 6.1.0"])
    #expect(!schedule.hasCause(1))
    end("install base/1.0 for 6.1.0", &schedule, .notTried)
    #expect(start(&schedule) == ["build long/1.0 for 6.1.0"])
    #expect(!schedule.hasCause(2), "it is only ended")
  }

  // MARK: Fairness

  @Test mutating func failuresForOneKernelDelayNoOther() throws {
    for name in ["a", "b"] { for kernel in [kernel, other] { try add(name, for: kernel) } }
    var schedule = try schedule(2, ["a": 10, "b": 5])
    #expect(start(&schedule) == ["build a/1.0 for 6.1.0", "build a/1.0 for 6.12.0"])
    end("build a/1.0 for 6.1.0", &schedule, failure)
    #expect(start(&schedule) == ["install a/1.0 for 6.1.0", "build b/1.0 for 6.1.0"])
    end("build b/1.0 for 6.1.0", &schedule, failure)
    #expect(start(&schedule) == ["install b/1.0 for 6.1.0", "build b/1.0 for 6.12.0"])
  }

  @Test mutating func buildsInOneSourceGoOneAfterAnotherAndKeepNoOtherFromItsPlace() throws {
    try add("own", inSource: true)
    try add("own", for: other, inSource: true)
    try add("free")
    var schedule = try schedule(2, ["own": 100, "free": 1])
    #expect(start(&schedule) == ["build own/1.0 for 6.1.0", "build free/1.0 for 6.1.0"])
    end("build free/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule) == ["install free/1.0 for 6.1.0"])
    end("build own/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule) == ["install own/1.0 for 6.1.0"])
    end("install own/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule) == ["build own/1.0 for 6.12.0"])
  }

  // MARK: Limits

  @Test(arguments: [(0, 1), (1, 1), (2, 2), (9, 4)])
  mutating func noMoreBuildsRunThanThereArePlaces(_ places: Int, _ running: Int) throws {
    for name in ["a", "b", "c", "d"] { try add(name) }
    var schedule = try schedule(places)
    #expect(start(&schedule).count == running)
    #expect(!schedule.isHeldBack)
  }

  @Test mutating func otherStepsHavePlacesOfTheirOwn() throws {
    for name in ["a", "b", "c", "d"] { try add(name) }
    for release in ["1", "2", "3"] {
      plan.append(.depmod(try KernelRelease(release)), because: .modulesChange)
    }
    var schedule = Schedule(plan, places: 1, otherPlaces: 2, seconds: [:])
    #expect(start(&schedule) == ["depmod 1", "depmod 2", "build a/1.0 for 6.1.0"])
    end("depmod 1", &schedule)
    #expect(start(&schedule) == ["depmod 3"])
  }

  @Test mutating func whileMemoryIsShortOneBuildRunsAndAllEnd() throws {
    for name in ["a", "b", "c"] { try add(name) }
    var schedule = try schedule(4, ["a": 1, "b": 3, "c": 2])
    #expect(start(&schedule, hasRoom: false) == ["build b/1.0 for 6.1.0"])
    #expect(schedule.isHeldBack)
    end("build b/1.0 for 6.1.0", &schedule)
    #expect(start(&schedule, hasRoom: false) == ["install b/1.0 for 6.1.0", "build c/1.0 for 6.1.0"])
    #expect(start(&schedule, hasRoom: true) == ["build a/1.0 for 6.1.0"])
    #expect(!schedule.isHeldBack)
    for name in ["c", "a"] { end("build \(name)/1.0 for 6.1.0", &schedule) }
    _ = start(&schedule, hasRoom: false)
    for name in ["a", "b", "c"] { end("install \(name)/1.0 for 6.1.0", &schedule) }
    #expect(schedule.isOver)
  }
}
