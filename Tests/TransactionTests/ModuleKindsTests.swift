// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Modules of every shape, each through a real transaction.
@Suite(.requiresPacman)
struct ModuleKindsTests {
  @Test func aThirdPartyModuleBuilds() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("v4l2loopback-dkms").mustSucceed()
    try await system.expectInstalled("v4l2loopback", for: System.lts)
    try await system.expectTidy()
  }

  @Test func namesAndVersionsHaveDashes() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("dashes-dkms").mustSucceed()
    #expect(
      try await system.status() == [
        "multi-dash-name/2.0-rc-1-x, \(System.lts), x86_64: installed",
        "multi-dash-name/2.0-rc-1-x, \(System.stable), x86_64: installed",
      ])
    try await system.expectInstalled("multi_dash", for: System.lts)
    try await system.remove("dashes-dkms").mustSucceed()
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
    try await system.expectTidy()
  }

  @Test func aConfigurationIsAProgram() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("odd-conf-dkms").mustSucceed()
    for release in [System.lts, System.stable] {
      try await system.expectInstalled("odd_core", for: release)
      try await system.expectInstalled("odd_sensor", for: release)
    }
    try await system.expectTidy()
  }

  @Test func modulesAreCompressedAsTheKernelsOwn() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    #expect(
      try await system.installedModules() == [
        "\(System.lts)/updates/dkms/hello_world.ko", "\(System.stable)/updates/dkms/hello_world.ko.zst",
      ])
  }

  @Test func patchesApplyAndScriptsRun() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("patched-dkms").mustSucceed()
    #expect(try await system.status().count == 2)
    let log = "cat /var/log/patched-dkms.log"
    #expect(try await system.root.shell(log).lines.count == 2)
    try await system.remove("patched-dkms").mustSucceed()
    let lines = try await system.root.shell(log).lines
    #expect(lines.count == 4, "POST_REMOVE runs though the source is gone: \(lines)")
    try await system.expectTidy()
  }

  @Test func whatDoesNotWantToBeInstalledByItselfIsOnlyAdded() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("noauto-dkms").mustSucceed()
    #expect(try await system.status() == ["noauto/2.0: added"])
    #expect(try await system.installedModules().isEmpty)
  }

  @Test func aModuleThatIsNotForAKernelIsSkippedWithItsReason() async throws {
    let system = try await System.withTwoKernels()
    let run = try await system.install("exclusive-dkms")
    try run.mustSucceed()
    #expect(
      run.all.contains(#"exclusive/1.0 for \#(System.stable): skipped, BUILD_EXCLUSIVE_KERNEL is '^6\.1\.'"#))
    #expect(try await system.status() == ["exclusive/1.0, \(System.lts), x86_64: installed"])
  }
}
