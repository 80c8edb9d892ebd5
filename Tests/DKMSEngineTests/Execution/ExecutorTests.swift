// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite(.timeLimit(.minutes(60))) struct ExecutorTests {
  private let machine: TemporaryMachine
  private let kernel: Kernel

  init() throws {
    machine = try TemporaryMachine()
    kernel = try machine.addKernel("6.1.0")
  }

  @Test func failureOfOneModuleStopsNoOther() async throws {
    let (bad, good) = (try module("bad", "1.0"), try module("good", "1.0"))
    try machine.addTextModule(bad, conf: "MAKE[0]=false\n")
    try machine.addTextModule(good)
    var plan = Plan()
    for id in [bad, good] {
      let basis = try await machine.basis(id, kernel)
      let add = plan.append(
        .add(id, source: "\(machine.layout.source(id))"), because: .requested, basis: basis)
      let build = plan.append(.build(id, kernel), because: .requested, requires: [add], basis: basis)
      plan.append(.install(id, kernel), because: .requested, requires: [build], basis: basis)
    }
    plan.append(.depmod(kernel.release), because: .modulesChange, after: [2, 5])
    let report = try await machine.execute(plan)
    #expect(report.plan == plan)
    #expect(report.outcomes.map(\.isDone) == [true, false, false, true, true, true, true])
    #expect(report.outcomes[1].failure?.exitStatus == .buildFailed)
    #expect(report.outcomes[2] == .notTried)
    #expect(report.failures.count == 1)
    #expect(machine.installed("good.ko", kernel) == "text")
    #expect(machine.installed("bad.ko", kernel) == nil)
    #expect(machine.launcher.commands("depmod").count == 1)
  }

  @Test func whatRequiresAFailedStepIsNotTriedHoweverFarAway() async throws {
    let id = try module("hello", "1.0")
    try machine.addTextModule(id, conf: "MAKE[0]=false\n")
    var plan = Plan()
    let basis = try await machine.basis(id, kernel)
    plan.append(.add(id, source: "\(machine.layout.source(id))"), because: .requested, basis: basis)
    plan.append(.build(id, kernel), because: .requested, requires: [0], basis: basis)
    plan.append(.install(id, kernel), because: .requested, requires: [1], basis: basis)
    plan.append(.uninstall(id, kernel), because: .requested, requires: [2], basis: basis)
    plan.append(.unregister(id), because: .requested, requires: [3])
    let report = try await machine.execute(plan)
    #expect(report.outcomes.suffix(3) == [.notTried, .notTried, .notTried])
    #expect(machine.state[id] != nil)
  }

  @Test func everyStepIsReportedOnceAsItEnds() async throws {
    let id = try module("hello", "1.0")
    try machine.addTextModule(id)
    let plan = Planner.install(
      id, for: [kernel], facts: try await machine.facts([id], [kernel]), options: machine.options)
    var observed: [PlannedStep] = []
    let report = try await Executor(machine.snapshot)
      .execute(plan) { step, outcome, _ in
        if outcome.isDone { observed.append(step) }
      }
    #expect(observed == plan.steps)
    #expect(report.failures.isEmpty)
  }

  @Test func cancelledPlanIsNotTried() async throws {
    let id = try module("hello", "1.0")
    try machine.addTextModule(id)
    let plan = Planner.install(
      id, for: [kernel], facts: try await machine.facts([id], [kernel]), options: machine.options)
    let report = try await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await machine.execute(plan)
    }.value
    #expect(report.outcomes == plan.steps.map { _ in .notTried })
    #expect(machine.dkmsListing.isEmpty)
  }

  @Test func whatIsInstalledBeforeAnInterruptionIsFound() async throws {
    let (good, slow) = (try module("good", "1.0"), try module("slow", "1.0"))
    try machine.addTextModule(good)
    let begun = machine.directory.path.appending("begun")
    try machine.addTextModule(slow, conf: "MAKE[0]=\": > '\(begun)'; sleep 300\"\n")
    var plan = Plan()
    for id in [good, slow] {
      let basis = try await machine.basis(id, kernel)
      let add = plan.append(
        .add(id, source: "\(machine.layout.source(id))"), because: .requested, basis: basis)
      let build = plan.append(.build(id, kernel), because: .requested, requires: [add], basis: basis)
      plan.append(.install(id, kernel), because: .requested, requires: [build], basis: basis)
    }
    let depmod = plan.append(.depmod(kernel.release), because: .modulesChange, after: [2, 5])
    plan.append(.follow(command: "true"), because: .modulesChange, after: [depmod])
    let run = Task { try await machine.execute(plan) }
    let isAsPlanned = try await eventually {
      machine.state[good]?.build(for: kernel)?.isInstalled == true && Disk.kind(begun) != nil
    }
    #expect(isAsPlanned)
    run.cancel()
    let report = try await run.value
    #expect(report.outcomes.map(\.isDone) == [true, true, true, true, false, false, true, false])
    #expect(report.outcomes[5] == .notTried && report.outcomes[7] == .notTried)
    #expect(machine.launcher.commands("depmod").count == 1)
    #expect(machine.installed("good.ko", kernel) == "text")
    #expect(!machine.dkmsListing.contains { $0.contains(Layout.stagingPrefix) })
  }

  @Test func planCanBeCarriedOutAgain() async throws {
    let id = try module("hello", "1.0")
    try machine.addTextModule(id)
    let plan = Planner.install(
      id, for: [kernel], facts: try await machine.facts([id], [kernel]), options: machine.options)
    #expect(try await machine.execute(plan).failures.isEmpty)
    let listing = machine.dkmsListing
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(machine.dkmsListing == listing)
  }

  @Test func stepsWithoutFilesOfTheirOwnNeedNone() async throws {
    var plan = Plan()
    plan.append(.depmod(kernel.release), because: .modulesChange)
    plan.append(.depmod(try KernelRelease("9.9.9-gone")), because: .modulesChange)
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(machine.launcher.commands("depmod").count == 1)
  }

  // MARK: Little memory

  /// Says how much memory there is, in KiB.
  private func setMemory(_ available: Int) throws {
    try machine.directory.write("MemAvailable: \(available) kB\n", to: "allowance/meminfo")
  }

  /// Modules whose builds note in a file that they begin and end.
  private func noisyModules(_ names: [String], while condition: String = "false") async throws -> Plan {
    let log = machine.directory.path.appending("log")
    var plan = Plan()
    for name in names {
      let id = try module(name, "1.0")
      try machine.addTextModule(
        id,
        conf: """
          MAKE[0]="echo begin >> '\(log)'; while \(condition); do sleep 0.01; done; \
          echo end >> '\(log)'; cp text \(name).ko"

          """)
      let basis = try await machine.basis(id, kernel)
      let add = plan.append(
        .add(id, source: "\(machine.layout.source(id))"), because: .requested, basis: basis)
      plan.append(.build(id, kernel), because: .requested, requires: [add], basis: basis)
    }
    return plan
  }

  private var log: [String] {
    (Disk.text(machine.directory.path.appending("log")) ?? "").split(separator: "\n").map(String.init)
  }

  @Test func whereMemoryIsShortOneBuildFollowsTheOther() async throws {
    try setMemory(300_000)
    let report = try await machine.execute(try await noisyModules(["a", "b", "c"]))
    #expect(report.failures.isEmpty)
    #expect(log == ["begin", "end", "begin", "end", "begin", "end"])
  }

  @Test func onceThereIsMemoryAnotherBuildBegins() async throws {
    let clock = RecordedClock()
    var machine = machine
    machine.clock = clock.clock
    try setMemory(300_000)
    let end = machine.directory.path.appending("end")
    let plan = try await noisyModules(["a", "b"], while: "[[ ! -e '\(end)' ]]")
    let run = Task { try await machine.execute(plan) }
    #expect(try await eventually { log == ["begin"] })
    try setMemory(8_000_000)
    clock.advance(by: .seconds(2))
    #expect(try await eventually { log == ["begin", "begin"] })
    try Files.write([], to: end)
    #expect(try await run.value.failures.isEmpty)
  }

  @Test func whoWantsNoLimitHasNone() async throws {
    var machine = machine
    machine.options.jobs = 0
    try setMemory(300_000)
    // Each waits for the other.
    let log = machine.directory.path.appending("log")
    let plan = try await noisyModules(["a", "b"], while: "! { read first && read second; } < '\(log)'")
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(self.log.prefix(2) == ["begin", "begin"])
  }

  @Test func theLongestBuildGoesFirstByTheTimesOfEarlierOnes() async throws {
    var machine = machine
    machine.options.jobs = 1
    try machine.directory.write("short/1.0 6.1.0 3\nlong/0.9 6.1.0 90\n", to: "state/build-times")
    var plan = Plan()
    for name in ["short", "long"] {
      let id = try module(name, "1.0")
      try machine.addTextModule(id)
      _ = try await machine.add(id)
      plan.append(.build(id, kernel), because: .requested, basis: try await machine.basis(id, kernel))
    }
    #expect(try await order(of: plan, on: machine) == ["long/1.0", "short/1.0"])
  }

  @Test func theLargestSourceGoesFirstWhereNoTimeIsKnown() async throws {
    var machine = machine
    machine.options.jobs = 1
    var plan = Plan()
    for (name, size) in [("small", 1), ("large", 400_000)] {
      let id = try module(name, "1.0")
      try machine.addTextModule(id, files: ["a.c": String(repeating: " ", count: size)])
      _ = try await machine.add(id)
      plan.append(.build(id, kernel), because: .requested, basis: try await machine.basis(id, kernel))
    }
    #expect(try await order(of: plan, on: machine) == ["large/1.0", "small/1.0"])
  }

  /// The modules in the order in which their builds end.
  private func order(of plan: Plan, on machine: TemporaryMachine) async throws -> [String] {
    var order: [String] = []
    _ = try await Executor(machine.snapshot).execute(plan) { planned, outcome, _ in
      if case .build(let id, _) = planned.step, outcome.isDone { order.append("\(id)") }
    }
    return order
  }
}
