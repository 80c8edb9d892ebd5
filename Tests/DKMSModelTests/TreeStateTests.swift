// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct TreeStateTests {
  private func record(
    _ name: String, _ version: String, isBroken: Bool = false, builds: [BuildRecord] = []
  ) throws -> ModuleRecord {
    ModuleRecord(
      id: try ModuleID(name: name, version: version), source: "/usr/src/\(name)-\(version)",
      isBroken: isBroken, builds: builds)
  }

  @Test func newestVersionOfEachModuleInTheOrderOfTheTree() throws {
    let state = TreeState(modules: [
      try record("b", "1.10"), try record("b", "1.9"), try record("a", "2.0-rc1"), try record("a", "2.0"),
    ])
    #expect(state.newestVersions.map(\.description) == ["b/1.10", "a/2.0-rc1"])
  }

  @Test func brokenVersionsAreNotTheNewest() throws {
    let state = TreeState(modules: [
      try record("a", "1.0"), try record("a", "2.0", isBroken: true), try record("b", "1", isBroken: true),
    ])
    #expect(state.newestVersions.map(\.description) == ["a/1.0"])
  }

  @Test func recordsAreFoundByTheirID() throws {
    let state = TreeState(modules: [try record("a", "1.0"), try record("a", "2.0")])
    #expect(state[try ModuleID(name: "a", version: "2.0")] == state.modules[1])
    #expect(state[try ModuleID(name: "a", version: "3.0")] == nil)
  }

  @Test func installedVersionIsTheOneInstalledForThatKernel() throws {
    let kernels = try ["6.1.0", "6.1.1", "6.1.2"].map {
      try Kernel(release: KernelRelease($0), architecture: "x86_64")
    }
    let state = TreeState(modules: [
      try record(
        "a", "1.0",
        builds: [
          BuildRecord(kernel: kernels[0], isInstalled: true),
          BuildRecord(kernel: kernels[1], isInstalled: false),
        ]),
      try record("a", "2.0", builds: [BuildRecord(kernel: kernels[1], isInstalled: true)]),
    ])
    #expect(state.installedVersion(of: "a", for: kernels[0])?.version == "1.0")
    #expect(state.installedVersion(of: "a", for: kernels[1])?.version == "2.0")
    #expect(state.installedVersion(of: "a", for: kernels[2]) == nil)
    #expect(state.installedVersion(of: "b", for: kernels[0]) == nil)
  }
}
