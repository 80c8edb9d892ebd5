// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Kernels in boot directories that are others than those that are installed.
@Suite struct KernelFilesTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let gone = "6.12.0-arch1-1"

  init() throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.directory.write("", to: "usr/lib/modules/\(BootMachine.release)/modules.order")
  }

  /// The beginning of an x86 kernel of a release.
  private static func x86(_ release: String) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 0x400)
    header.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
    header.replaceSubrange(0x20E..<0x210, with: [0x00, 0x01])
    header.replaceSubrange(0x300..<0x300, with: "\(release) (builder) #1\0".utf8)
    return header
  }

  private func put(_ release: String, _ name: String) throws {
    let file = machine.path.appending(name.components)
    try Files.makeDirectories(file.removingLastComponent())
    try Files.write(Self.x86(release), to: file)
  }

  private var strays: [String] {
    KernelFiles(machine.system).strays(among: [kernel]).found.map {
      "\($0.path.dropFirst(machine.path.string.count)) \($0.release)"
    }
  }

  @Test(arguments: [
    "boot/vmlinuz-linux", "efi/vmlinuz-linux", "boot/vmlinuz-\(BootMachine.release)",
    "efi/EFI/arch/vmlinuz-linux",
    "boot/0123abcd/\(BootMachine.release)/linux", "boot/0123abcd/linux/vmlinuz-linux",
  ])
  func aKernelWhoseModulesAreGoneIsFound(_ name: String) throws {
    try put(BootMachine.release, name)
    #expect(strays.isEmpty)
    try put(Self.gone, name)
    #expect(strays == ["/\(name) \(Self.gone)"])
    try machine.directory.write("", to: "usr/lib/modules/\(Self.gone)/updates/dkms/left.ko")
    #expect(strays == ["/\(name) \(Self.gone)"], "only what DKMS left is there")
    try machine.directory.write("", to: "usr/lib/modules/\(Self.gone)/modules.order")
    #expect(strays.isEmpty, "it boots with its own modules")
  }

  @Test func theKernelThatAPresetNamesIsLookedAtWhereverItLies() async throws {
    try machine.directory.write(
      "PRESETS=(default)\nALL_kver=/srv/kernel\ndefault_image=/boot/i.img\n",
      to: "etc/mkinitcpio.d/linux.preset")
    try put(Self.gone, "srv/kernel")
    let recipes = await ImageSurvey(machine.system).recipes(of: .mkinitcpio, for: [kernel])
    #expect(recipes.recipes.isEmpty)
    let strays = KernelFiles(machine.system).strays(among: [kernel], presets: recipes.presetKernels)
    #expect(strays.found.map(\.release) == [Self.gone])
  }

  @Test func othersAndThoseThatTellNothingAreNone() throws {
    try put(Self.gone, "boot/vmlinuz-linux-zen")
    try machine.directory.write("text", to: "boot/vmlinuz-linux")
    #expect(strays.isEmpty)
  }

  @Test func whatIsToBeDoneIsTold() throws {
    try put(Self.gone, "boot/vmlinuz-linux")
    let stray = try #require(KernelFiles(machine.system).strays(among: [kernel]).found.first)
    #expect(
      stray.remedy.hasSuffix(
        "install the kernel's package again, and: alpm-dkms initramfs \(BootMachine.release)"))
    try put(BootMachine.release, "usr/lib/modules/\(BootMachine.release)/vmlinuz")
    let other = try #require(KernelFiles(machine.system).strays(among: [kernel]).found.first)
    let root = machine.path.string
    #expect(
      other.remedy.hasSuffix(
        ": cp \(root)/usr/lib/modules/\(BootMachine.release)/vmlinuz \(root)/boot/vmlinuz-linux && "
          + "alpm-dkms initramfs \(BootMachine.release)"))
  }

  @Test func aDirectoryThatCannotBeLookedIntoIsTold() throws {
    try machine.run("rm -r boot && ln -s boot boot")
    #expect(KernelFiles(machine.system).strays(among: [kernel]).problems.count == 1)
  }

  // MARK: Images

  @Test func anImageWithTheModulesOfAnotherKernelOnlyIsForThat() async throws {
    try machine.directory.write("", to: "boot/vmlinuz-linux")
    try machine.install("hello", "1")
    let recipes = try await machine.recipes(.dracut, kernel)
    try await machine.settle(recipes)
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
    let other = try machine.kernel(BootMachine.otherRelease)
    try machine.install("hello", "1", in: BootMachine.otherRelease)
    let found = try await machine.recipes(.dracut, other)
    #expect(
      await machine.plan(found).entries.map(\.decision) == [
        .generate([.otherKernel(release: BootMachine.release)])
      ])
  }

  @Test(arguments: [".uname", ".linux"])
  func aUnifiedKernelImageTellsWhichKernelIsInIt(_ section: String) async throws {
    try machine.addStub()
    try Files.write(
      section == ".uname" ? Self.gone.bytes : Self.x86(Self.gone), to: machine.path.appending("section"))
    try machine.run(
      "objcopy --add-section \(section)=section --change-section-vma \(section)=0x2000000 stub.efi stub.efi")
    try machine.directory.write(
      "PRESETS=(one)\none_kver=\(BootMachine.release)\none_uki=/boot/u.efi\n",
      to: "etc/mkinitcpio.d/linux.preset")
    try machine.install("hello", "1")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.reason == "what mkinitcpio made is not used: it is for the kernel \(Self.gone)")
  }
}
