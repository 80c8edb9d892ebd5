// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct PlanTests {
  @Test func stepsAreNumberedInTheirOrder() throws {
    let id = try ModuleID(name: "hello", version: "1.0")
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    var plan = Plan()
    #expect(plan.isEmpty)
    let add = plan.append(.add(id, source: "/usr/src/hello-1.0"), because: .requested)
    let build = plan.append(.build(id, kernel), because: .requested, requires: [add])
    let depmod = plan.append(.depmod(kernel.release), because: .modulesChange, after: [build])
    #expect([add, build, depmod] == [0, 1, 2])
    #expect(!plan.isEmpty)
    #expect(
      plan.steps.map(\.step) == [
        .add(id, source: "/usr/src/hello-1.0"), .build(id, kernel), .depmod(kernel.release),
      ])
    #expect(plan.steps.map(\.required) == [[], [0], []])
    #expect(plan.steps.map(\.earlier) == [[], [], [1]])
    #expect(plan.steps.map(\.reason) == [.requested, .requested, .modulesChange])
  }

  @Test func obstaclesAreTheErrorsAmongTheSkips() throws {
    let id = try ModuleID(name: "hello", version: "1.0")
    var plan = Plan()
    plan.skip(Skip(id, nil, .upToDate))
    plan.skip(Skip(id, nil, .obstacle(.notAdded(id))))
    plan.skip(Skip(id, nil, .notAutoinstalled))
    plan.skip(Skip(id, nil, .obstacle(.alreadyAdded(id))))
    #expect(plan.isEmpty)
    #expect(plan.skips.count == 4)
    #expect(plan.obstacles == [.notAdded(id), .alreadyAdded(id)])
  }

  @Test func obstacleInTheWayOfSeveralModulesIsNamedOnce() throws {
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let error = DKMSError.compilerMissing(kernel, program: "gcc-12", packages: "gcc")
    var plan = Plan()
    for name in ["a", "b"] {
      plan.skip(Skip(try ModuleID(name: name, version: "1.0"), kernel, .obstacle(error)))
    }
    #expect(plan.skips.count == 2)
    #expect(plan.obstacles == [error])
  }

  @Test func failureOfAnOptionalStepIsTolerated() throws {
    var plan = Plan()
    let keys = KeyPair(key: "/key", certificate: "/pub")
    plan.append(.makeKeys(keys), because: .signing, isOptional: true)
    plan.append(.depmod(try KernelRelease("6.1.0")), because: .modulesChange)
    let error = DKMSError.keysUnavailable(.opensslMissing)
    let report = Report(plan: plan, outcomes: [.failed(error), .done(warnings: ["one", "two", "one"])])
    #expect(report.failures.isEmpty)
    #expect(report.toleratedFailures == [error])
    #expect(report.warnings == ["one", "two"])
  }

  @Test func reportKeepsTheOrderOfThePlan() throws {
    let releases = try ["6.1.0", "6.1.1", "6.1.2", "6.1.3"].map { try KernelRelease($0) }
    var plan = Plan()
    for release in releases { plan.append(.depmod(release), because: .modulesChange) }
    let failure = { (release: KernelRelease) in DKMSError.depmodFailed(release, detail: "no room") }
    let report = Report(
      plan: plan,
      outcomes: [
        .failed(failure(releases[0])), .done(warnings: ["first", "second"]), .notTried,
        .failed(failure(releases[3])),
      ])
    #expect(report.failures == [failure(releases[0]), failure(releases[3])])
    #expect(report.warnings == ["first", "second"])
    #expect(report.outcomes.map(\.isDone) == [false, true, false, false])
  }
}

/// What ends the process.
@Suite struct PlanExitTests {
  @Test func requiringAStepThatIsNotThereIsAFault() async {
    await #expect(processExitsWith: .failure) {
      var plan = Plan()
      plan.append(.depmod(try KernelRelease("6.1.0")), because: .modulesChange, requires: [0])
    }
  }

  @Test func waitingForAStepThatIsNotThereIsAFault() async {
    await #expect(processExitsWith: .failure) {
      var plan = Plan()
      plan.append(.depmod(try KernelRelease("6.1.0")), because: .modulesChange)
      plan.append(.depmod(try KernelRelease("6.1.1")), because: .modulesChange, after: [0, 1])
    }
  }
}
