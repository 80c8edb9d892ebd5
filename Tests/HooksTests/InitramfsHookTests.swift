// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSEngine
import DKMSModel
import Host
import Journal
import Maintenance
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import Hooks

/// Which generator a hook works for, and what it says where it does nothing.
@Suite struct InitramfsHookTests {
  private let system: HookedSystem

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0-lts", base: "linux-lts")
    try system.addPackage("linux-lts", files: ["usr/lib/modules/6.1.0-lts/"])
  }

  private func run(_ arguments: String...) async throws -> Int32 {
    let file = try system.directory.write("usr/src/hello-1/dkms.conf\n", to: "targets")
    let input = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
    let status = await InitramfsHook.run(
      Array(arguments), input, layout: system.layout, host: system.host)
    try input.close()
    return status
  }

  @Test func withoutAGeneratorItSaysSoWhereThereIsAnImageButAHookFileOfOneIsSilent() async throws {
    #expect(try await run() == 0)
    try system.directory.write("an image", to: "boot/0123456789abcdef/6.1.0-lts/initrd")
    #expect(try await run("mkinitcpio") == 0)
    #expect(try await run("mkinitcpio", "dracut", "booster") == 0)
    #expect(system.transcript.output.isEmpty && system.transcript.error.isEmpty)
    #expect(Disk.list(system.layout.journal).isEmpty)
    #expect(try await run() == 0)
    #expect(system.transcript.output == ["  -> no generator of initramfs images is installed"])
  }

  @Test func severalGeneratorsAreToldOnceAndTheAdministratorChooses() async throws {
    try system.addPackage("mkinitcpio", files: ["usr/bin/mkinitcpio"])
    try system.addPackage("dracut", files: ["usr/bin/dracut"])
    for name in ["mkinitcpio", "dracut", "booster"] { #expect(try await run(name) == 0) }
    let told =
      "==> WARNING: initramfs images are not checked: several generators are installed (mkinitcpio, dracut)"
    let advice = "  -> to choose one, set initramfs-generator in \(system.layout.suiteConfiguration)"
    #expect(system.transcript.error == [told, advice])
    try system.directory.write("initramfs-generator = dracut\n", to: "etc/alpm-dkms.conf")
    #expect(try await run() == 0)
    #expect(system.transcript.error == [told, advice])
  }

  @Test func ofSeveralGeneratorsTheOneWhoseImagesAreThereIsMeant() async throws {
    try system.addPackage("mkinitcpio", files: ["usr/bin/mkinitcpio"])
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.directory.write("PRESETS=(\n", to: "etc/mkinitcpio.d/none")
    try system.directory.write("not an image", to: "boot/booster-linux-lts.img")
    #expect(try await run("mkinitcpio") == 0)
    #expect(system.transcript.error.isEmpty)
    #expect(try await run("booster") == 1, "there is no such program")
    #expect(system.transcript.error.contains { $0.contains("boot/booster-linux-lts.img") })
  }

  @Test func whatWasSeenAndDecidedIsOnRecordAndGivesTheSamePlanAgain() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.directory.write("not an image", to: "boot/booster-linux-lts.img")
    #expect(try await run("booster") == 1, "there is no such program")
    let record = try Journal(system.layout).record(nil)
    #expect(try record.kind == .initramfs && record.result == .failed)
    #expect(try record.work.outcomes?.first?.failure != nil)
    try Files.remove(system.directory.path.appending("boot").appending("booster-linux-lts.img"))
    #expect(await ReplayCommand(mode: .check).run(layout: system.layout, host: system.host) == 0)
    #expect(await ReplayCommand().run(layout: system.layout, host: system.host) == 0)
    let line = "booster-linux-lts.img: would be made: it cannot be read"
    #expect(system.transcript.output.last?.contains(line) == true, "\(system.transcript.output)")
    try system.directory.write("", to: "boot/vmlinuz-linux-lts")
    let now = ReplayCommand(mode: .now)
    #expect(await now.run(layout: system.layout, host: system.host) == 0)
    #expect(system.transcript.output.last?.hasSuffix("would be made: it is missing") == true)
  }

  @Test func onlyAModuleOfWhichNothingIsInstalledKeepsAnImageAsItIs() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    let old = try system.addSource("hello", "1.0")
    try system.layWhole(old, for: "6.1.0-lts")
    let new = try system.addSource("hello", "2.0")
    try system.lay(new)
    try system.fail(new, for: "6.1.0-lts")
    try system.writeImage(
      to: system.directory.path.appending("boot/booster-linux-lts.img").string, holding: "hello", [1, 2, 3])
    #expect(try await run("booster") == 1, "there is no such program")
    let kept = "stays as it is: hello, which it needs, could not be built"
    #expect(!system.transcript.error.contains { $0.contains(kept) }, "the last good build is installed")
    #expect(system.transcript.error.contains { $0.contains("booster-linux-lts.img: ") })
    try Files.remove(system.installedFile("hello", "6.1.0-lts"))
    try system.list([], for: "6.1.0-lts")
    #expect(try await run("booster") == 0)
    #expect(system.transcript.error.contains { $0.contains(kept) }, "\(system.transcript.error)")
  }

  @Test func thatAnImageIsBeingMadeIsToldInAPipe() async throws {
    var system = system
    system.signOfLife = .lines
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.layWhole(try system.addSource("hello", "1.0"), for: "6.1.0-lts")
    let image = system.directory.path.appending(FilePath("boot/booster-linux-lts.img").components)
    let new = system.directory.path.appending("new.img")
    try system.writeImage(to: image.string, holding: "hello", [1, 2, 3])
    try system.writeImage(
      to: new.string, holding: "hello", Files.read(system.installedFile("hello", "6.1.0-lts")))
    try system.addProgram("booster", "for last; do :; done; cp \(new) $last")
    #expect(try await system.run(InitramfsHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    let output = system.transcript.output
    #expect(output.first == "  -> making \(image)", "\(output) \(system.transcript.error)")
    let last = output.last ?? ""
    #expect(
      last.hasPrefix("  -> \(image): made in ") && last.contains(" s (the module hello in it"), "\(output)")
    #expect(output.count == 2)
  }

  @Test func anImageThatTheFirmwareRefusesIsToldWithWhatSignsIt() async throws {
    try system.addPackage("mkinitcpio", files: ["usr/bin/mkinitcpio"])
    try system.addKernel("6.1.0", base: "linux")
    try system.addPackage("linux", files: ["usr/lib/modules/6.1.0/"])
    try system.layWhole(try system.addSource("hello", "1.0"), for: "6.1.0")
    try system.directory.write(
      "PRESETS=(default)\nALL_kver=6.1.0\ndefault_uki=/boot/EFI/Linux/arch.efi\n",
      to: "etc/mkinitcpio.d/linux.preset")
    let image = system.directory.path.appending(FilePath("boot/EFI/Linux/arch.efi").components).string
    try system.writeImage(to: image, holding: "hello")
    let name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    let variable = system.directory.path.appending(FilePath("sys/firmware/efi/efivars/\(name)").components)
    try Files.makeDirectories(variable.removingLastComponent())
    try Files.write([6, 0, 0, 0, 1], to: variable)
    #expect(try await system.run(InitramfsHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(
      system.transcript.error.contains(
        "==> WARNING: \(image) stays as it is: nothing here is known to sign it"))
    #expect(await VerifyCommand().run(layout: system.layout, host: system.host) == 3)
    #expect(
      system.transcript.output.contains {
        $0.contains("it has no signature, and Secure Boot is on, which refuses it")
      },
      "\(system.transcript.output)")
    let json = VerifyCommand(printsJSON: true)
    #expect(await json.run(layout: system.layout, host: system.host) == 3)
  }

  @Test func aKernelWhoseFileIsAnotherOneIsTold() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    let file = try system.directory.write("Linux version 6.0.9-lts (x)", to: "boot/vmlinuz-linux-lts")
    try system.writeImage(
      to: system.directory.path.appending("boot/booster-linux-lts.img").string, holding: "hello", [1])
    #expect(try await run("booster") == 1)
    let line =
      "==> ERROR: \(file): it is the kernel 6.0.9-lts, whose modules are not installed; those of 6.1.0-lts are"
    #expect(system.transcript.error.contains(line), "\(system.transcript.error)")
  }

  @Test func anImageThatCannotBeLookedAtStaysAndIsToldOf() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    let image = try system.directory.write("not an image", to: "boot/booster-linux-lts.img")
    let list = system.directory.path.appending("usr/lib/modules/6.1.0-lts/modules.dep")
    try Files.link(list, to: list)
    #expect(try await run("booster") == 1)
    #expect(
      system.transcript.error == [
        "==> ERROR: \(image) stays as it is: nothing is known about it: cannot read \(list): "
          + "Too many levels of symbolic links",
        "  -> once that can be read again:", "     alpm-dkms initramfs 6.1.0-lts",
      ])
    #expect(Disk.text(image) == "not an image")
  }

  @Test func nothingIsLookedAtWhereTheAdministratorWantsNone() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.directory.write("not an image", to: "boot/booster-linux-lts.img")
    try system.directory.write("initramfs = never\n", to: "etc/alpm-dkms.conf")
    #expect(try await run("booster") == 0)
    #expect(system.transcript.error.isEmpty && system.transcript.output.isEmpty)
  }
}
