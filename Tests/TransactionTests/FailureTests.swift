// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What goes wrong must be said, must not spread, and must not cost a module that worked.
@Suite(.requiresPacman)
struct FailureTests {
  @Test func aModuleThatDoesNotCompileStopsNoOther() async throws {
    let system = try await System.withTwoKernels()
    let run = try await system.install("broken-dkms", "hello-world-dkms=1.0-")
    #expect(run.status == 0 && run.reportsFailedHook, "\(run)")
    for release in [System.lts, System.stable] {
      try await system.expectInstalled("hello_world", "1.0", for: release)
      let log = "/var/lib/dkms/broken/1.0/build/\(release)-x86_64/make.log"
      #expect(run.all.contains("broken/1.0 for \(release): the build failed: broken.c:"), "\(run)")
      #expect(run.all.contains(log), "\(run)")
      #expect(try await system.root.run(["grep", "-q", "error: ", log]).status == 0)
    }
    let words = run.all.split(separator: "\n")
    let lastGood = words.lastIndex { $0.contains("module dependencies updated") }
    let firstError = words.firstIndex { $0.contains("==> ERROR:") }
    #expect(try #require(lastGood) < #require(firstError), "errors come last")
    try await system.expectTidy()
  }

  @Test func theHelperItselfEndsWithAFailure() async throws {
    let system = try await System.withLTSKernel()
    _ = try await system.install("broken-dkms")
    let helper = ["/usr/lib/alpm-dkms/alpm-dkms-install"]
    let failing = try await system.root.run(helper, input: Array("usr/src/broken-1.0/dkms.conf\n".utf8))
    #expect(failing.status == 1, "\(failing)")
  }

  @Test func theLastGoodModuleStaysWhereTheNewOneFails() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    let upgrade = try await system.install("hello-world-dkms=1.2-")
    #expect(upgrade.status == 0 && upgrade.reportsFailedHook, "\(upgrade)")
    #expect(upgrade.all.contains("hello-world/1.1 stays installed for \(System.stable)"), "\(upgrade)")
    try await system.expectSettled(
      System.installed("hello-world/1.1", System.stable) + System.installed("hello-world/1.2", System.lts),
      again: 1)
    try await system.expectInstalled("hello_world", "1.1", for: System.stable)
    try await system.expectInstalled("hello_world", "1.2", for: System.lts)

    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.1", System.lts, System.stable))
    try await system.remove("hello-world-dkms").mustSucceed()
    try await system.expectSettled([])
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
  }

  @Test func theLastGoodModuleGoesWithItsPackage() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    _ = try await system.install("hello-world-dkms=1.2-")
    try await system.remove("hello-world-dkms").mustSucceed()
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
    #expect(try await system.installedModules().isEmpty)
    try await system.expectTidy()
  }

  @Test func theLastGoodModuleCanBeRemovedByHand() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    _ = try await system.install("hello-world-dkms=1.2-")
    let removal = try await system.root.run(["dkms", "remove", "hello-world/1.1", "--all"])
    #expect(removal.status == 0, "\(removal)")
    #expect(try await system.status() == ["hello-world/1.2, \(System.lts), x86_64: installed"])
    try await system.expectTidy()
  }

  @Test func anUnreadableConfigurationIsNamed() async throws {
    let system = try await System.withLTSKernel()
    _ = try await system.root.shell(
      "mkdir -p /usr/src/odd-1 && echo 'PACKAGE_VERSION=1' > /usr/src/odd-1/dkms.conf")
    let run = try await system.root.run(
      ["/usr/lib/alpm-dkms/alpm-dkms-install"], input: Array("usr/src/odd-1/dkms.conf\n".utf8))
    #expect(run.status == 1)
    #expect(run.all.contains("/usr/src/odd-1/dkms.conf is not valid: it does not set PACKAGE_NAME"), "\(run)")
    #expect(try await system.status().isEmpty)
  }
}
