// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// `dkms status` over trees of either implementation, seen by both.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct StatusTests {
  /// Two modules, two versions, two kernels, in every state that is not broken.
  private func populated(by program: MountedMachine.Program) async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    for (name, version) in [("quick", "1.0"), ("quick", "1.1"), ("slow", "2.0"), ("idle", "0-1")] {
      try machine.addQuick(name, version)
    }
    for words in [
      "install quick/1.0 -k \(Kernels.first)", "build quick/1.0 -k \(Kernels.second)",
      "build quick/1.1 -k \(Kernels.first) -a i386", "install slow/2.0 -k \(Kernels.first)",
      "install slow/2.0 -k \(Kernels.second)", "add idle/0-1",
    ] { try await machine.dkms(words, by: program).expect(0) }
    return machine
  }

  private func expectAgreement(_ machine: MountedMachine, _ words: String) async throws {
    let ours = try await machine.dkms(words)
    let theirs = try await machine.dkms(words, by: .reference)
    ours.expectSame(as: theirs)
  }

  private static let filters = [
    "", "-m quick", "-m quick -v 1.1", "quick/1.0", "-m quick/1.0", "-v 1.0", "-k F", "-k S", "-k S -k F",
    "-k F/x86_64", "-k F -a i386", "-a x86_64", "-a i386", "-a arm", "quick/1.0 -k S",
    "slow/2.0 -k F -a i386",
    "-m nothing", "quick/9", "-k 9.9", "-m q*", "-k 6.1*", "quick -k F", "--all", "idle/0-1",
    "-k F -k S -a x86_64",
  ]

  @Test(
    "Every filter shows the same, whoever made the tree",
    arguments: [MountedMachine.Program.ours, .reference])
  func filters(_ maker: MountedMachine.Program) async throws {
    let machine = try await populated(by: maker)
    for filter in Self.filters {
      let words = filter.replacing("F", with: Kernels.first).replacing("S", with: Kernels.second)
      try await expectAgreement(machine, "status \(words)")
    }
    try await machine.dkms("status").expect(
      0,
      output: [
        "idle/0-1: added",
        "quick/1.0, \(Kernels.first), x86_64: installed",
        "quick/1.0, \(Kernels.second), x86_64: built",
        "quick/1.1, \(Kernels.first), i386: built",
        "slow/2.0, \(Kernels.first), x86_64: installed",
        "slow/2.0, \(Kernels.second), x86_64: installed",
      ])
  }

  @Test(
    "What is named by an empty variable is not asked for",
    arguments: [
      ["-m", "", "-v", ""], ["-k", ""], ["-a", ""], ["--kernelver=", "--arch="], ["-m", "quick", "-v", ""],
    ])
  func emptyFilters(_ words: [String]) async throws {
    let machine = try await Prepared.machine(.installed)
    for program in [MountedMachine.Program.ours, .reference] {
      try await machine.dkms(["status"] + words, by: program)
        .expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
    }
  }

  @Test("Both trees are the same, path by path")
  func trees() async throws {
    let ours = try await populated(by: .ours).dkms("status")
    let theirs = try await populated(by: .reference).dkms("status", by: .reference)
    ours.expectSame(as: theirs)
  }

  @Test(
    "What is wrong with a tree is said in the same words",
    arguments: [MountedMachine.Program.ours, .reference])
  func remarks(_ maker: MountedMachine.Program) async throws {
    let machine = try await populated(by: maker)
    let kernel = Kernels.first
    try machine.write("x", to: "modules/\(kernel)/updates/dkms/quick.ko")
    try machine.remove("modules/\(kernel)/updates/dkms/slow.ko")
    try machine.write("x", to: "var/slow/original_module/\(Kernels.second)/x86_64/slow.ko")
    try await expectAgreement(machine, "status")
    try machine.write("x", to: "var/quick/original_module/\(kernel)/x86_64/quick.ko")
    try await expectAgreement(machine, "status")
    try await machine.dkms("status -k \(kernel) -a x86_64").expect(
      0,
      output: [
        "idle/0-1: added",
        "quick/1.0, \(kernel), x86_64: installed (Original modules exist)"
          + " (Differences between built and installed modules)",
        "quick/1.1: added",
        "slow/2.0, \(kernel), x86_64: installed (Differences between built and installed modules)",
      ])
  }

  @Test("A built module that is missing from the tree is told")
  func missingModule() async throws {
    let machine = try await populated(by: .reference)
    try machine.remove("var/slow/2.0/\(Kernels.first)/x86_64/module/slow.ko")
    try await machine.dkms("status slow/2.0 -k \(Kernels.first)").expect(
      0,
      output: [
        "slow/2.0, \(Kernels.first), x86_64: installed"
          + " (Built modules are missing in the kernel modules folder)"
      ])
  }

  @Test("A broken module is told, with success, and hides no other")
  func broken() async throws {
    let machine = try await populated(by: .reference)
    try machine.remove("src/quick-1.0")
    try await machine.dkms("status").expect(
      0,
      output: [
        "idle/0-1: added",
        "quick/1.0: broken",
        "quick/1.1, \(Kernels.first), i386: built",
        "slow/2.0, \(Kernels.first), x86_64: installed",
        "slow/2.0, \(Kernels.second), x86_64: installed",
      ], says: ["quick/1.0", "/var/lib/dkms/quick/1.0/source", "dkms remove --force quick/1.0 --all"])
    try await machine.dkms("status slow/2.0 -k \(Kernels.first)")
      .expect(0, output: ["slow/2.0, \(Kernels.first), x86_64: installed"])
  }

  @Test("A module without a source link is broken where its source is there, else it is not one")
  func missingLink() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try Files.makeDirectories(machine.path("var/quick/1.0/build"))
    try Files.makeDirectories(machine.path("var/stray/1.0/build"))
    try await machine.dkms("status").expect(0, output: ["quick/1.0: broken"])
  }

  @Test("Autoinstall says that a module is broken, and goes on to success")
  func autoinstallPastBroken() async throws {
    let machine = try await populated(by: .reference)
    try machine.remove("src/idle-0-1")
    try await machine.dkms("autoinstall -k \(Kernels.second)").expect(0, says: ["idle/0-1", "broken"])
    try await machine.dkms("status quick/1.1 -k \(Kernels.second)")
      .expect(0, output: ["quick/1.1, \(Kernels.second), x86_64: installed"])
  }

  @Test("Nobody in particular may ask")
  func asNobody() async throws {
    let machine = try await populated(by: .ours)
    let root = try await machine.dkms("status")
    try await machine.dkms("status", as: .nobody).expect(0, output: root.lines)
  }

  @Test("An empty or missing tree has no lines")
  func empty() async throws {
    let machine = try await Prepared.sources()
    try await expectAgreement(machine, "status")
    try await machine.dkms("status --dkmstree /nowhere/at/all").expect(0, output: [])
  }
}
