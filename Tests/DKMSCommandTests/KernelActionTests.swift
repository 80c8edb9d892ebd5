// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// The actions that concern a kernel, not a module.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct KernelActionTests {
  private static let (first, second) = (Kernels.first, Kernels.second)

  /// quick/1.0 and slow/2.0 installed for the first kernel, idle/1.0 built for it by hand.
  private func machine() async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.addQuick("slow", "2.0")
    try machine.addQuick("idle", "1.0", conf: "AUTOINSTALL=no")
    for words in ["install quick/1.0", "install slow/2.0", "build idle/1.0"] {
      try await machine.dkms("\(words) -k \(Self.first)").expect(0)
    }
    return machine
  }

  private func installed(_ id: String, _ kernel: String) -> String { "\(id), \(kernel), x86_64: installed" }

  // MARK: match

  @Test("match installs for a kernel what another has, and no more")
  func match() async throws {
    let machine = try await machine()
    let words = "match --templatekernel \(Self.first) -k \(Self.second)"
    try await machine.dkms(words).expect(0)
    let after = try await machine.dkms("status -k \(Self.second)").expect(
      0,
      output: [
        "idle/1.0: added", installed("quick/1.0", Self.second), installed("slow/2.0", Self.second),
      ])
    try await machine.dkms(words).expect(0).expectUnchanged(since: after.tree)
    try await machine.dkms("\(words) --force").expect(0).expectUnchanged(since: after.tree)
  }

  @Test("match takes one module by name, and --templatekernel in two forms", arguments: [" ", "="])
  func matchOne(_ form: String) async throws {
    let machine = try await machine()
    try await machine.dkms("match --templatekernel\(form)\(Self.first) -k \(Self.second) slow").expect(0)
    try await machine.dkms("status -k \(Self.second)").expect(
      0, output: ["idle/1.0: added", "quick/1.0: added", installed("slow/2.0", Self.second)])
  }

  @Test("Where the other kernel has nothing, match has nothing to do")
  func matchNothing() async throws {
    let machine = try await machine()
    let before = machine.tree
    try await machine.dkms("match --templatekernel \(Self.second) -k \(Self.first)")
      .expect(0).expectUnchanged(since: before)
  }

  @Test("match goes on past a module that fails, and ends with its status")
  func matchPastFailure() async throws {
    let machine = try await machine()
    try machine.addQuick(conf: "[[ $kernelver != \(Self.second) ]] || MAKE[0]=false")
    try await machine.dkms("match --templatekernel \(Self.first) -k \(Self.second)")
      .expect(10, says: ["quick/1.0", "make.log"])
    try await machine.dkms("status slow/2.0 -k \(Self.second)")
      .expect(0, output: [installed("slow/2.0", Self.second)])
  }

  @Test(
    "What match cannot do has the reference's status",
    arguments: [
      ("match -k K", 1, "--templatekernel"), ("match --templatekernel K -k K", 2, "same kernel"),
      ("match --templatekernel K -k L nothing", 3, "nothing"),
      ("match --templatekernel K -k L -k M", 4, "one kernel"),
      ("match --templatekernel K --all", 5, "--all"), ("match --templatekernel K -k 9.9.9", 21, "headers"),
    ] as [(String, Int32, String)])
  func matchFaults(_ words: String, _ status: Int32, _ text: String) async throws {
    let machine = try await machine()
    let before = machine.tree
    try await machine.dkms(
      words.replacing(" K", with: " \(Self.first)").replacing(" L", with: " \(Self.second)")
    ).expect(status, says: [text]).expectUnchanged(since: before)
  }

  // MARK: Kernels that come and go

  @Test("kernel_postinst is autoinstall")
  func afterInstall() async throws {
    let machine = try await machine()
    let copy = try await machine.copy()
    let expected = try await copy.dkms("autoinstall -k \(Self.second)").expect(0).tree
    let words = "kernel_postinst -k \(Self.second)"
    try await machine.dkms(words).expect(0).expectUnchanged(since: expected)
    try await machine.dkms(words).expect(0).expectUnchanged(since: expected)
    try machine.addQuick("bad", "1.0", conf: "MAKE[0]=false")
    try await machine.dkms("add bad/1.0").expect(0)
    try await machine.dkms(words).expect(11, says: ["bad/1.0"])
  }

  @Test("kernel_preinst forgets what autoinstall will build again, and only that")
  func beforeInstall() async throws {
    let machine = try await machine()
    try await machine.dkms("install quick/1.0 -k \(Self.second)").expect(0)
    try await machine.dkms("kernel_preinst -k \(Self.first)").expect(0)
    let after = try await machine.dkms("status").expect(
      0,
      output: [
        "idle/1.0, \(Self.first), x86_64: built", installed("quick/1.0", Self.second), "slow/2.0: added",
      ])
    try await machine.dkms("kernel_preinst -k \(Self.first)").expect(0).expectUnchanged(since: after.tree)
    try await machine.dkms("kernel_postinst -k \(Self.first)").expect(0)
    try await machine.dkms("status slow/2.0").expect(0, output: [installed("slow/2.0", Self.first)])
  }

  @Test("kernel_prerm forgets all that was built; modules stay registered, modules.dep follows")
  func beforeRemoval() async throws {
    let machine = try await machine()
    #expect(try machine.text("modules/\(Self.first)/modules.dep").contains("quick.ko"))
    // Empty directories of a kernel are not ours to remove.
    try Files.makeDirectories(machine.path("modules/\(Self.first)/empty"))
    try await machine.dkms("kernel_prerm -k \(Self.first)").expect(0)
    let after = try await machine.dkms("status").expect(
      0, output: ["idle/1.0: added", "quick/1.0: added", "slow/2.0: added"])
    #expect(try !machine.text("modules/\(Self.first)/modules.dep").contains("quick.ko"))
    #expect(machine.exists("modules/\(Self.first)/empty"))
    #expect(!machine.exists("modules/\(Self.first)/updates"))
    try await machine.dkms("kernel_prerm -k \(Self.first)").expect(0).expectUnchanged(since: after.tree)
  }

  @Test("What kernel_prerm cannot undo is 14, and it goes on with the rest")
  func beforeRemovalFailed() async throws {
    let machine = try await machine()
    let run = try await machine.shell(
      """
      mount --bind /var/lib/dkms/quick/1.0/\(Self.first) /var/lib/dkms/quick/1.0/\(Self.first) &&
        mount -o remount,ro,bind /var/lib/dkms/quick/1.0/\(Self.first) && exec dkms kernel_prerm -k \(Self.first)
      """)
    #expect(run.status == 14, "\(run)")
    #expect(run.errorOutput.contains("quick/1.0"), "\(run)")
    try await machine.dkms("status slow/2.0").expect(0, output: ["slow/2.0: added"])
  }

  @Test(
    "They take exactly one kernel, and root",
    arguments: ["kernel_preinst", "kernel_postinst", "kernel_prerm"])
  func exactlyOneKernel(_ action: String) async throws {
    let machine = try await machine()
    let before = machine.tree
    for (words, status) in [("", 4), (" -k \(Self.first) -k \(Self.second)", 4), (" --all", 5)] {
      try await machine.dkms(action + words).expect(Int32(status), says: [action])
        .expectUnchanged(since: before)
    }
    try await machine.dkms("\(action) -k \(Self.first)", as: .nobody)
      .expect(1, says: ["root"]).expectUnchanged(since: before)
  }

  // MARK: autoinstall

  @Test("A module that needs one nobody has registered is waited for: told, and no failure")
  func unregisteredDependency() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "BUILD_DEPENDS[0]=later")
    try await machine.dkms("add quick/1.0").expect(0)
    let waiting = try await machine.dkms("autoinstall -k \(Self.first)").expect(0)
    #expect(waiting.run.errorOutput.hasPrefix("==> WARNING: quick/1.0 needs later"), "\(waiting)")
    try machine.addQuick("later", "1.0", conf: "MAKE[0]=false")
    try await machine.dkms("add later/1.0").expect(0)
    let failed = try await machine.dkms("autoinstall -k \(Self.first)").expect(11, says: ["later/1.0"])
    #expect(failed.lines.contains("  -> quick/1.0 for \(Self.first): not tried"), "\(failed)")
    try machine.addQuick("later", "1.0")
    try await machine.dkms("autoinstall -k \(Self.first)").expect(0)
    try await machine.dkms("status").expect(
      0, output: [installed("later/1.0", Self.first), installed("quick/1.0", Self.first)])
  }
}
