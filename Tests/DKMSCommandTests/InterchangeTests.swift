// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// What one implementation makes, the other takes away.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct InterchangeTests {
  private static func other(_ program: MountedMachine.Program) -> MountedMachine.Program {
    program == .ours ? .reference : .ours
  }

  /// The tree without what depmod leaves in a kernel's directory.
  private func withoutDependencies(_ tree: [String]) -> [String] {
    tree.filter { !$0.contains("/modules.") }
  }

  @Test("Step by step", .requiresReference, arguments: [MountedMachine.Program.ours, .reference])
  func stepByStep(_ first: MountedMachine.Program) async throws {
    let second = Self.other(first)
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let before = withoutDependencies(machine.tree)
    let kernel = "-k \(Kernels.first)"
    try await machine.dkms("add quick/1.0", by: first).expect(0)
    try await machine.dkms("build quick/1.0 \(kernel)", by: second).expect(0)
    try await machine.dkms("install quick/1.0 \(kernel)", by: first).expect(0)
    #expect(machine.exists("modules/\(Kernels.first)/updates/dkms/quick.ko"))
    try await machine.dkms("uninstall quick/1.0 \(kernel)", by: second).expect(0)
    #expect(!machine.exists("modules/\(Kernels.first)/updates"))
    try await machine.dkms("unbuild quick/1.0 \(kernel)", by: first).expect(0)
    try await machine.dkms("remove quick/1.0 --all", by: second).expect(0)
    #expect(withoutDependencies(machine.tree) == before)
  }

  @Test(
    "Installed for two kernels, removed at once", .requiresReference,
    arguments: [MountedMachine.Program.ours, .reference])
  func atOnce(_ first: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let before = withoutDependencies(machine.tree)
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) -k \(Kernels.second)", by: first).expect(0)
    try await machine.dkms("remove quick/1.0 --all", by: Self.other(first)).expect(0)
    #expect(withoutDependencies(machine.tree) == before)
  }

  @Test(
    "A newer version of the one takes the place of the other's older", .requiresReference,
    arguments: [MountedMachine.Program.ours, .reference])
  func upgrade(_ first: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.addQuick("quick", "1.1")
    let kernel = "-k \(Kernels.first)"
    try await machine.dkms("install quick/1.0 \(kernel)", by: first).expect(0)
    // Its modules are the same, which would be refused.
    let words = "install quick/1.1 \(kernel) --force-version-override"
    try await machine.dkms(words, by: Self.other(first)).expect(0)
    try await machine.dkms("status").expect(
      0,
      output: [
        "quick/1.0, \(Kernels.first), x86_64: built", "quick/1.1, \(Kernels.first), x86_64: installed",
      ])
    try await machine.dkms("remove quick/1.1 --all", by: first).expect(0)
    #expect(!machine.exists("modules/\(Kernels.first)/updates"))
    #expect(!machine.exists("var/quick/kernel-\(Kernels.first)-x86_64"))
  }

  @Test(
    "A module that people use, with one that depends on it", .requiresReference,
    arguments: [MountedMachine.Program.ours, .reference])
  func realModule(_ first: MountedMachine.Program) async throws {
    let (second, kernel) = (Self.other(first), Kernels.first)
    let machine = try MountedMachine()
    try machine.addKernel(kernel)
    let id = try await machine.addRealModule("ddcci")
    let before = withoutDependencies(machine.tree)
    let files = ["ddcci", "ddcci-backlight"].map { "modules/\(kernel)/updates/dkms/\($0).ko" }
    func expectState(_ state: String, by program: MountedMachine.Program) async throws {
      try await machine.dkms("status", by: program)
        .expect(0, output: ["\(id), \(kernel), x86_64: \(state)"])
      for file in files { #expect(machine.exists(file) == (state == "installed"), "\(file)") }
    }
    try await machine.dkms("install \(id) -k \(kernel)", by: first).expect(0)
    try await expectState("installed", by: second)
    let built = try files.map(machine.bytes)
    try await machine.dkms("uninstall \(id) -k \(kernel)", by: second).expect(0)
    try await expectState("built", by: first)
    try await machine.dkms("install \(id) -k \(kernel)", by: second).expect(0)
    try await expectState("installed", by: first)
    #expect(try files.map(machine.bytes) == built)
    try await machine.dkms("remove \(id) --all", by: first).expect(0)
    #expect(withoutDependencies(machine.tree) == before)
    #expect(try machine.text("modules/\(kernel)/modules.dep") == "")
  }

  @Test("A failed build of ours is in nobody's way", .requiresReference)
  func failedBuild() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "[[ -e /etc/dkms/mended ]] || MAKE[0]=false")
    let before = withoutDependencies(machine.tree)
    let kernel = "-k \(Kernels.first)"
    try await machine.dkms("build quick/1.0 \(kernel)").expect(10)
    try await machine.dkms("status", by: .reference).expect(0, output: ["quick/1.0: added"])
    try machine.write("", to: "etc/mended")
    try await machine.dkms("install quick/1.0 \(kernel)", by: .reference).expect(0)
    try await machine.dkms("remove quick/1.0 --all", by: .reference).expect(0)
    try machine.remove("etc/mended")
    #expect(withoutDependencies(machine.tree) == before)
  }
}
