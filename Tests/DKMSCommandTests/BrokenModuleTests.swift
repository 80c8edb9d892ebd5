// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What becomes of a registered module whose source, or whose link to it, is gone.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct BrokenModuleTests {
  /// What is gone of it.
  enum Loss: CaseIterable {
    case source, link
  }

  private func machine(without loss: Loss) async throws -> MountedMachine {
    let machine = try await Prepared.machine(.installed)
    try machine.remove(loss == .source ? "src/quick-1.0" : "var/quick/1.0/source")
    return machine
  }

  @Test(
    "Nothing is done with it, whatever its kernel lacks",
    arguments: Loss.allCases, ["build", "install", "unbuild", "uninstall", "remove"])
  func refused(_ loss: Loss, _ action: String) async throws {
    let machine = try await machine(without: loss)
    let before = machine.tree
    for kernel in [Kernels.first, "9.9.9"] {
      try await machine.dkms("\(action) quick/1.0 -k \(kernel)").expect(4, says: ["quick/1.0 is broken"])
        .expectUnchanged(since: before)
    }
  }

  @Test("Adding it again leads the link back; a removal by force forgets it", arguments: Loss.allCases)
  func waysOut(_ loss: Loss) async throws {
    let machine = try await machine(without: loss)
    if loss == .link {
      let copy = try await machine.copy()
      try await copy.dkms("add quick/1.0").expect(0)
      try await copy.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
    }
    try await machine.dkms("remove --force quick/1.0 --all").expect(0)
    try await machine.dkms("status").expect(0, output: [])
    #expect(!machine.exists("modules/\(Kernels.first)/updates/dkms/quick.ko"))
  }

  @Test("Nothing is said of it where another module was asked about")
  func otherModule() async throws {
    let machine = try await machine(without: .source)
    try machine.addQuick("other", "1.0")
    try await machine.dkms("add other/1.0").expect(0)
    let status = try await machine.dkms("status other/1.0").expect(0, output: ["other/1.0: added"])
    #expect(status.run.errorOutput.isEmpty)
  }
}
