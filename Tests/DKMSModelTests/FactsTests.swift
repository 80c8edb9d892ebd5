// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct FactsTests {
  private func read(_ id: ModuleID, _ deprecated: [String]) -> ConfigurationFact {
    .read(ModuleConfiguration(id: id, modules: [], makeCommand: "make", deprecated: deprecated))
  }

  @Test func deprecationsAreToldOnceForAllKernels() throws {
    let kernels = try ["6.1", "6.12", "6.18"].map {
      try Kernel(release: KernelRelease($0), architecture: "x86_64")
    }
    let modules = try ["old", "new", "torn"].map { try ModuleID(name: $0, version: "1") }
    let (old, new, torn) = (modules[0], modules[1], modules[2])
    let facts = Facts(configurations: [
      old: [
        kernels[0]: read(old, ["CLEAN", "REMAKE_INITRD"]), kernels[1]: read(old, ["OBSOLETE_BY", "CLEAN"]),
        kernels[2]: .unreadable(.configurationMissing(path: "/x")),
      ],
      new: [kernels[0]: read(new, [])],
      torn: [kernels[0]: .unreadable(.configurationMissing(path: "/x"))],
    ])
    #expect(facts.deprecations == [old: ["CLEAN", "OBSOLETE_BY", "REMAKE_INITRD"]])
  }
}
