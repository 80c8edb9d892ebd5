// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

/// Plans that no planner makes.
@Suite struct SafetyCatchTests {
  private var scene = Scene()
  private let kernel: Kernel
  private let (hello, other): (ModuleID, ModuleID)

  init() throws {
    kernel = try scene.kernel("6.1.0")
    hello = try scene.module("hello", installed: [kernel])
    other = try scene.module("other", installed: [kernel])
  }

  private func plan(_ steps: [Step], because reason: Reason = .sourceGone) -> Plan {
    var plan = Plan()
    for step in steps { plan.append(step, because: reason) }
    return plan
  }

  private func checked(_ plan: Plan, named: SafetyCatch.Named = .init()) -> Plan {
    SafetyCatch(scene.facts, named: named).checked(plan)
  }

  @Test func theLastModulesOfAKernelStay() {
    let removal = plan([
      .uninstall(hello, kernel), .unbuild(hello, kernel), .unregister(hello), .uninstall(other, kernel),
      .depmod(kernel.release),
    ])
    let nothing = checked(removal)
    #expect(nothing.isEmpty)
    #expect(nothing.obstacles == [.removalUnasked(kernel.release, modules: [hello, other])])
    // Half of what was asked for is not what was asked for.
    #expect(checked(removal, named: .init(modules: [hello])).isEmpty)
  }

  @Test func theyGoWhereTheyAreNamed() {
    let removal = plan([.uninstall(hello, kernel), .unbuild(other, kernel)])
    #expect(checked(removal, named: .init(modules: [hello, other])) == removal)
    #expect(checked(removal, named: .init(kernels: [kernel.release])) == removal)
  }

  @Test func oneOfSeveralMayGo() {
    let removal = plan([.uninstall(hello, kernel), .unbuild(hello, kernel)])
    #expect(checked(removal) == removal)
  }

  @Test func theyMayGiveWayToWhatIsInstalled() throws {
    let successor = try ModuleID(name: "hello", version: "1.1")
    let replacement = plan([
      .install(successor, kernel), .uninstall(hello, kernel), .uninstall(other, kernel),
    ])
    #expect(checked(replacement) == replacement)
  }

  @Test func aKernelThatIsInstalledIsNotCleared() throws {
    let clearance = plan([.depmod(kernel.release)], because: .kernelGone)
    let nothing = checked(clearance)
    #expect(nothing.isEmpty && nothing.obstacles == [.removalUnasked(kernel.release, modules: [])])
    let gone = plan([.depmod(try KernelRelease("5.0.0"))], because: .kernelGone)
    #expect(checked(gone) == gone)
  }

  @Test func aTransactionThatCallsAnInstalledKernelGoneDoesNothing() {
    // As if a look at it had been misunderstood.
    var transaction = Transaction(goneKernels: [kernel])
    let facts = scene.facts
    let nothing = Planner.follow(transaction, facts: facts, options: scene.options)
    #expect(nothing.isEmpty && nothing.obstacles.count == 1)
    transaction.goneKernels = []
    #expect(Planner.follow(transaction, facts: facts, options: scene.options).obstacles.isEmpty)
  }
}
