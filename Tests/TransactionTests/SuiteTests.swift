// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// The suite itself comes and goes.
@Suite(.requiresPacman)
struct SuiteTests {
  private static let everything = [
    "alpm-dkms", "hello-world-dkms", "patched-dkms", "linux", "linux-headers", "linux-lts",
    "linux-lts-headers",
  ]

  /// A system that had its kernel and its module before it had the suite.
  private func withoutSuite() async throws -> System {
    let system = try await System.withLTSKernel()
    try await system.remove("alpm-dkms").mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
    return system
  }

  @Test func theFirstInstallationBuildsWhatIsThereAlready() async throws {
    let system = try await withoutSuite()
    try await system.pacman("-U", ["/suite.pkg.tar"]).mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }

  @Test func theSuiteArrivesTogetherWithAModuleAndAKernel() async throws {
    let system = try await withoutSuite()
    let packages = ["linux-rt", "linux-rt-headers", "v4l2loopback-dkms"].map(System.package)
    try await system.pacman("-U", ["/suite.pkg.tar"] + packages).mustSucceed()
    let modules = try await system.installedModules()
    #expect(modules.filter { $0.contains("/v4l2loopback.ko") }.count == 2)
    #expect(modules.filter { $0.contains("/hello_world.ko") }.count == 2)
    try await system.expectTidy()
  }

  @Test func reinstallationOfTheSuiteChangesNothing() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.root.shell(System.snapshot).output
    let run = try await system.pacman("-U", ["/suite.pkg.tar"])
    try run.mustSucceed()
    #expect(!run.all.contains(": built"), "\(run)")
    #expect(try await system.root.shell(System.snapshot).output == before)
  }

  @Test func theSuiteGoesAndTheModulesThatStayAreLeftAlone() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.root.shell(System.snapshot).output
    try await system.remove("alpm-dkms").mustSucceed()
    #expect(try await system.root.shell(System.snapshot).output == before)
  }

  @Test func everythingRemovedAtOnceLeavesOnlyTheJournal() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    try await system.pacman("-Rns", Self.everything).mustSucceed()
    #expect(try await system.listing("/usr/lib/modules").isEmpty)
    #expect(try await system.listing("/usr/src").isEmpty)
    // Like any log, it is there to be read when what wrote it has gone.
    let left = try await system.root.shell(
      "find /var/lib/dkms /var/lib/alpm-dkms -mindepth 1 -not -path '*/journal/*'")
    #expect(left.lines == ["/var/lib/alpm-dkms/journal"])
  }

  @Test func everythingButTheSuiteLeavesNothingEither() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    try await system.pacman("-Rns", Array(Self.everything.dropFirst())).mustSucceed()
    try await system.expectSettled([])
    #expect(try await system.listing("/usr/lib/modules").isEmpty)
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
  }
}
