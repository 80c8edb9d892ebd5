// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// A module from its installation to its removal, with kernels that come and go meanwhile.
@Suite(.requiresPacman)
struct LifeOfAModuleTests {
  @Test func fromInstallationToRemoval() async throws {
    let system = try await System.withTwoKernels()

    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await expect(system, version: "1.0", for: [System.lts, System.stable])

    try await system.install("linux-rt", "linux-rt-headers").mustSucceed()
    try await expect(system, version: "1.0", for: [System.lts, System.realtime, System.stable])

    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await expect(system, version: "1.1", for: [System.lts, System.realtime, System.stable])

    try await system.remove("linux-rt", "linux-rt-headers").mustSucceed()
    try await expect(system, version: "1.1", for: [System.lts, System.stable])
    #expect(try await !system.listing("/usr/lib/modules").contains { $0.hasPrefix(System.realtime) })

    try await system.remove("hello-world-dkms").mustSucceed()
    try await expect(system, version: "", for: [])
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
  }

  @Test func kernelUpgradeMovesTheModuleToTheNewRelease() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.install("linux=.arch2-", "linux-headers=.arch2-").mustSucceed()
    try await expect(system, version: "1.0", for: [System.lts, System.stableUpgrade])
    #expect(try await !system.listing("/usr/lib/modules").contains { $0.hasPrefix(System.stable) })
  }

  @Test func reinstallationChangesNothing() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let sums = "cd /usr/lib/modules && sha256sum */updates/dkms/*"
    let before = try await (system.listing("/var/lib/dkms"), system.root.shell(sums).output)
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.install("linux-lts", "linux-lts-headers").mustSucceed()
    #expect(try await system.listing("/var/lib/dkms") == before.0)
    #expect(try await system.root.shell(sums).output == before.1)
    try await expect(system, version: "1.0", for: [System.lts, System.stable])
  }

  @Test func everythingRemovedAtOnceLeavesNothing() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    try await system.pacman(
      "-Rns",
      [
        "alpm-dkms", "hello-world-dkms", "patched-dkms", "linux", "linux-headers", "linux-lts",
        "linux-lts-headers",
      ]
    ).mustSucceed()
    let left = try await system.listing("/usr/lib/modules").filter {
      $0.contains("updates") || $0.contains(".ko")
    }
    #expect(left.isEmpty)
    #expect(try await system.root.shell("ls -A /var/lib/dkms").output.isEmpty)
  }

  @Test func theSuiteGoesAndTheModulesThatStayAreLeftAlone() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.installedModules()
    try await system.remove("alpm-dkms").mustSucceed()
    #expect(try await system.installedModules() == before)
  }

  private func expect(
    _ system: System, version: String, for releases: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let lines = releases.map { "hello-world/\(version), \($0), x86_64: installed" }
    #expect(try await system.status() == lines, sourceLocation: sourceLocation)
    #expect(try await system.installedModules().count == releases.count, sourceLocation: sourceLocation)
    for release in releases {
      try await system.expectInstalled("hello_world", version, for: release, sourceLocation: sourceLocation)
    }
    try await system.expectTidy(sourceLocation: sourceLocation)
  }
}
