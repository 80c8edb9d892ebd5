// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSEngine
import DKMSModel
import Hooks
import Host
import Inspection
import Maintenance
import SystemPackage
import SystemSupport
import TestSupport
import Testing

/// A kernel that has a newer module of its own: plan, run and verdict say the same.
@Suite struct KernelsOwnModuleTests {
  private let system: HookedSystem
  private let kernel: Kernel
  private let id: ModuleID
  private static let target = "usr/lib/modules/6.1.0/modules.order"

  init() throws {
    system = try HookedSystem()
    kernel = try system.addKernel("6.1.0")
    id = try system.addSource("hello", "1.0")
    try Files.write(
      ModuleImage.bytes(for: "6.1.0", version: "2.0"),
      to: try place("usr/lib/modules/6.1.0/kernel/hello.ko"))
  }

  private func place(_ name: String) throws -> FilePath {
    let path = system.directory.path.appending(name)
    try Files.makeDirectories(path.removingLastComponent())
    return path
  }

  /// A source whose build gives a real module of this version.
  private func addImage(version: String) throws {
    let image = try place("usr/src/hello-1.0/text")
    try Files.write(ModuleImage.bytes(for: "6.1.0", version: version), to: image)
  }

  private func plan() async throws -> Plan {
    let facts = try await FactsReader(system.snapshot).facts(.init(modules: [id], kernels: [kernel]))
    return Planner.install(id, for: [kernel], facts: facts, options: BuildOptions())
  }

  @Test func hookLeavesItAndIsWell() async throws {
    try addImage(version: "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(system.state[id]?.build(for: kernel)?.isInstalled == false)
    #expect(system.transcript.output.contains { $0.contains("kernel/hello.ko is newer (2.0, ours is 1.0)") })
    #expect(!system.transcript.error.contains { $0.hasPrefix("==> ERROR") })
  }

  @Test func onceBuiltItIsAPlannedSkip() async throws {
    try addImage(version: "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    let plan = try await plan()
    #expect(!plan.steps.contains { if case .install = $0.step { true } else { false } })
    #expect(plan.obstacles.map(\.exitStatus) == [.installFailed])
    #expect(plan.obstacles.first?.isSkip == true)
  }

  @Test func verdictAgrees() async throws {
    try addImage(version: "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    // Here depmod is only noted.
    try Depmod.run(on: system.layout.installTree, for: "6.1.0")
    let verdict = try #require(try await system.verification().verdicts.first)
    #expect(verdict.standing == .fine, "\(verdict.findings)")
    #expect(verdict.skips.map(\.module) == [id])
  }

  @Test func beforeItIsBuiltADryRunSaysWhatDecides() async throws {
    let plan = try await plan()
    let words = plan.words.filter { $0.contains("would be installed") }
    #expect(words.count == 1 && words[0].contains("kernel/hello.ko (2.0)"), "\(plan.words)")
  }

  @Test(arguments: ["2.1", "3.0"])
  func newerOneIsInstalled(_ version: String) async throws {
    try addImage(version: version)
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(system.state[id]?.build(for: kernel)?.isInstalled == true)
  }

  @Test func forceOverrulesInThePlan() async throws {
    try addImage(version: "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    let facts = try await FactsReader(system.snapshot).facts(.init(modules: [id], kernels: [kernel]))
    var options = BuildOptions()
    options.forcedModules.installed = ["hello"]
    let plan = Planner.install(id, for: [kernel], facts: facts, options: options)
    #expect(plan.steps.contains { $0.step == .install(id, kernel) } && plan.obstacles.isEmpty)
  }
}
