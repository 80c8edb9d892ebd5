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

  @Test func theLastKernelGoesAndTheModuleWaitsForTheNext() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.remove("linux-lts", "linux-lts-headers").mustSucceed()
    #expect(try await system.status() == ["hello-world/1.0: added"])
    #expect(try await system.listing("/usr/lib/modules").isEmpty)
    try await system.install("linux-rt", "linux-rt-headers").mustSucceed()
    try await expect(system, version: "1.0", for: [System.realtime])
  }

  private func expect(
    _ system: System, version: String, for releases: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let lines = releases.flatMap { System.installed("hello-world/\(version)", $0) }
    try await system.expectSettled(lines, sourceLocation: sourceLocation)
    for release in releases {
      try await system.expectInstalled("hello_world", version, for: release, sourceLocation: sourceLocation)
    }
  }
}
