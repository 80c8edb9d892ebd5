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
}
