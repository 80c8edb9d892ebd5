// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// What one implementation makes, the other takes away.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct InterchangeTests {
  private static func other(_ program: Machine.Program) -> Machine.Program {
    program == .ours ? .reference : .ours
  }

  /// The tree without what depmod leaves in a kernel's directory.
  private func withoutDependencies(_ tree: [String]) -> [String] {
    tree.filter { !$0.contains("/modules.") }
  }

  @Test("Step by step", .requiresReference, arguments: [Machine.Program.ours, .reference])
  func stepByStep(_ first: Machine.Program) async throws {
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
    arguments: [Machine.Program.ours, .reference])
  func atOnce(_ first: Machine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let before = withoutDependencies(machine.tree)
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) -k \(Kernels.second)", by: first).expect(0)
    try await machine.dkms("remove quick/1.0 --all", by: Self.other(first)).expect(0)
    #expect(withoutDependencies(machine.tree) == before)
  }

  @Test(
    "A newer version of the one takes the place of the other's older", .requiresReference,
    arguments: [Machine.Program.ours, .reference])
  func upgrade(_ first: Machine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.addQuick("quick", "1.1")
    let kernel = "-k \(Kernels.first)"
    try await machine.dkms("install quick/1.0 \(kernel)", by: first).expect(0)
    try await machine.dkms("install quick/1.1 \(kernel)", by: Self.other(first)).expect(0)
    try await machine.dkms("status").expect(
      0,
      output: [
        "quick/1.0, \(Kernels.first), x86_64: built", "quick/1.1, \(Kernels.first), x86_64: installed",
      ])
    try await machine.dkms("remove quick/1.1 --all", by: first).expect(0)
    #expect(!machine.exists("modules/\(Kernels.first)/updates"))
    #expect(!machine.exists("var/quick/kernel-\(Kernels.first)-x86_64"))
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

  @Test("A foreign module in the place of ours comes back, byte for byte")
  func foreignModule() async throws {
    let machine = try await Prepared.machine(.built)
    let place = "modules/\(Kernels.first)/updates/dkms/quick.ko"
    let foreign = Array("somebody else's".utf8)
    try machine.write(bytes: foreign, to: place)
    let before = machine.tree
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) --no-depmod").expect(0)
    #expect(try machine.bytes(place) != foreign)
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) --no-depmod --force").expect(0)
    try await machine.dkms("status").expect(
      0, output: ["quick/1.0, \(Kernels.first), x86_64: installed (Original modules exist)"])
    try await machine.dkms("uninstall quick/1.0 -k \(Kernels.first) --no-depmod").expect(0)
      .expectUnchanged(since: before)
    #expect(try machine.bytes(place) == foreign)
  }

  @Test(
    "An archived module returns to where it was, by either name of that place",
    arguments: ["/usr/lib", "/lib"])
  func archive(_ prefix: String) async throws {
    let machine = try await Prepared.machine(.installed)
    let kernel = Kernels.first
    let archived = Array("the kernel's own".utf8)
    let archive = "var/quick/original_module/\(kernel)/x86_64/quick.ko"
    try machine.write(bytes: archived, to: archive)
    try machine.write("\(prefix)/modules/\(kernel)/kernel/drivers/quick.ko\n", to: "\(archive).origin")
    try await machine.dkms("uninstall quick/1.0 -k \(kernel)").expect(0)
    #expect((try? machine.bytes("modules/\(kernel)/kernel/drivers/quick.ko")) == archived)
    #expect(!machine.exists("var/quick/original_module"))
  }

  @Test("An archived module that cannot return is kept", arguments: ["/etc/dkms/quick.ko", ""])
  func archiveThatStays(_ origin: String) async throws {
    let machine = try await Prepared.machine(.installed)
    let archived = Array("the kernel's own".utf8)
    let archive = "var/quick/original_module/\(Kernels.first)/x86_64/quick.ko"
    try machine.write(bytes: archived, to: archive)
    try machine.write("\(origin)\n", to: "\(archive).origin")
    try await machine.dkms("uninstall quick/1.0 -k \(Kernels.first)").expect(0)
    #expect((try? machine.bytes(archive)) == archived)
    #expect(!machine.exists("etc/quick.ko"))
  }
}
