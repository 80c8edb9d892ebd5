// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Maintenance

/// What is said of images: by `alpm-dkms initramfs --explain`, and by the verdict.
@Suite struct InitramfsCommandTests {
  private let system: HookedSystem
  private let id: ModuleID

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0", base: "linux")
    id = try system.addSource("hello", "1.0")
    try system.layWhole(id, for: "6.1.0")
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.addPackage("linux", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/pkgbase"])
  }

  private var image: String { system.directory.path.appending("boot").appending("booster-linux.img").string }

  /// Writes an image that holds the module, or something else of its name.
  private func write(_ contents: String? = nil) throws {
    try system.writeImage(to: image, holding: "hello", contents.map { Array($0.utf8) })
  }

  private let noEntry = "     no entry of systemd-boot, Limine, GRUB or rEFInd is known to boot it"
  private var made: String {
    "     made when it is stale, with: booster build --force --kernel-version 6.1.0 \(image)"
  }

  /// The path of a file in /boot.
  private func boot(_ name: String) -> String {
    system.directory.path.appending("boot").appending(FilePath(name).components).string
  }

  /// Writes what tells its release as a kernel does.
  private func writeKernel(_ name: String, _ release: String) throws {
    try system.directory.write("Linux version \(release) (builder)\n", to: "boot/\(name)")
  }

  private func explain(json: Bool = false) async -> Int32 {
    await InitramfsCommand(explains: true, printsJSON: json).run(layout: system.layout, host: system.host)
  }

  private func verify() async -> Int32 {
    await VerifyCommand().run(layout: system.layout, host: system.host)
  }

  @Test func aFreshImageIsExplained() async throws {
    try write()
    #expect(await explain() == 0)
    #expect(
      system.transcript.output == [
        "==> 6.1.0", "  -> \(image) (booster): fresh, its modules are the installed ones", noEntry, made,
        "     modules of DKMS in it: hello; 0 others",
      ])
    #expect(await verify() == 0)
  }

  @Test func aStaleImageIsExplained() async throws {
    try write("an old one")
    #expect(await explain() == 1)
    #expect(
      system.transcript.output == [
        "==> 6.1.0", "  -> \(image) (booster): stale",
        "     the module hello in it is not the one that is installed", noEntry, made,
        "     modules of DKMS in it: hello; 0 others",
      ])
  }

  @Test func theWayFromTheEntryToTheModulesIsTold() async throws {
    try write()
    try writeKernel("vmlinuz-linux", "6.1.0")
    try system.directory.write(
      "title Arch Linux\nlinux /vmlinuz-linux\ninitrd /booster-linux.img\n",
      to: "boot/loader/entries/arch.conf")
    try system.directory.write(
      "/Arch\n  path: boot():/vmlinuz-linux\n  module_path: boot():/booster-linux.img#00ff\n",
      to: "boot/limine.conf")
    #expect(await explain() == 0)
    let kernel = boot("vmlinuz-linux")
    #expect(
      system.transcript.output == [
        "==> 6.1.0", "  -> the kernel \(kernel)",
        "  -> \(image) (booster): fresh, its modules are the installed ones",
        "     booted by \"Arch Linux\" in \(boot("loader/entries/arch.conf")) (systemd-boot), with \(kernel)",
        "     booted by \"Arch\" in \(boot("limine.conf")) (Limine), with \(kernel)", made,
        "     modules of DKMS in it: hello; 0 others",
      ])
  }

  @Test func anEntryWithAnotherKernelThanItsImageIsTold() async throws {
    try write()
    try writeKernel("vmlinuz-other", "6.6.9-lts")
    try system.directory.write(
      "menuentry 'Arch' {\n  linux /vmlinuz-other\n  initrd /booster-linux.img\n}\n"
        + "menuentry 'Gone' {\n  linux /vmlinuz-gone\n  initrd /booster-linux.img\n}\n",
      to: "boot/grub/grub.cfg")
    #expect(await explain() == 1)
    let configuration = boot("grub/grub.cfg")
    for line in [
      "     booted by \"Arch\" in \(configuration) (GRUB), with \(boot("vmlinuz-other")), "
        + "which is another kernel: 6.6.9-lts",
      "     booted by \"Gone\" in \(configuration) (GRUB), with a kernel that is not there",
    ] {
      #expect(system.transcript.output.contains(line), "\(system.transcript.output)")
    }
  }

  @Test func whoWantsNoImagesMadeIsToldWhatWouldMakeThem() async throws {
    try write()
    try system.directory.write("initramfs = never\n", to: "etc/alpm-dkms.conf")
    #expect(await explain() == 0)
    #expect(
      system.transcript.output.contains { $0.hasPrefix("     left to others by initramfs = never; ") })
  }

  @Test func programsReadTheWayToo() async throws {
    try write()
    try writeKernel("vmlinuz-linux", "6.1.0")
    try system.directory.write(
      "title Arch Linux\nlinux /vmlinuz-linux\ninitrd /booster-linux.img\n",
      to: "boot/loader/entries/arch.conf")
    #expect(await explain(json: true) == 0)
    let text = system.transcript.output.joined(separator: "\n")
    #expect(try JSONSchema("images").faults(in: text) == [])
    for part in [
      #""loader": "systemd-boot""#, #""file": "\#(boot("loader/entries/arch.conf"))""#,
      #""title": "Arch Linux""#,
      #""kernel_file": "\#(boot("vmlinuz-linux"))""#, #""release": "6.1.0""#, #""policy": "auto""#,
      "\"command\": [\n        \"booster\",",
    ] {
      #expect(text.contains(part), "\(text)")
    }
  }

  @Test func programsReadTheSame() async throws {
    try write("an old one")
    #expect(await explain(json: true) == 1)
    let text = system.transcript.output.joined(separator: "\n")
    #expect(try JSONSchema("images").faults(in: text) == [])
    for part in [
      #""path": "\#(image)""#, #""generator": "booster""#, #""fresh": false"#, #""kind": "differs""#,
      #""kernel_module": "hello""#, "\"dkms_kernel_modules\": [\n        \"hello\"\n      ]",
    ] {
      #expect(text.contains(part), "\(text)")
    }
  }

  @Test func withoutAGeneratorNothingIsLookedAt() async throws {
    try write("an old one")
    try Files.remove(system.directory.path.appending("var/lib/pacman/local/booster-1.0-1"))
    #expect(await explain() == 0)
    #expect(system.transcript.output == ["==> no generator of initramfs images is installed"])
    #expect(await verify() == 0)
  }

  @Test func theVerdictKnowsOldImages() async throws {
    try write("an old one")
    #expect(await verify() == 2)
    #expect(
      system.transcript.output == [
        "==> WARNING: 6.1.0: degraded, not every module is as it should be",
        "  -> \(image): the image is old: it holds a different build of hello than is installed; "
          + "to fix it:", "     alpm-dkms initramfs 6.1.0",
      ])
  }

  @Test func whoLeavesImagesAloneHearsNothingOfThem() async throws {
    try write("an old one")
    try system.directory.write("initramfs = never\n", to: "etc/alpm-dkms.conf")
    #expect(await verify() == 0)
  }

  @Test func whatOnlyRootMayReadIsNotJudgedByOthers() async throws {
    try Files.makeDirectories(FilePath(image).removingLastComponent())
    try Files.write(Array("junk".utf8), to: FilePath(image))
    #expect(await verify() == 3)
    var user = system
    user.isRoot = false
    #expect(await VerifyCommand().run(layout: user.layout, host: user.host) == 0)
  }

  @Test func aKernelThatIsNotThereIsAnError() async throws {
    let command = InitramfsCommand(kernels: ["5.5.5"], explains: true)
    #expect(await command.run(layout: system.layout, host: system.host) == 1)
    #expect(system.transcript.error.first?.contains("5.5.5") == true)
  }
}
