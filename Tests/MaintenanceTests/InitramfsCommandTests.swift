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
        "==> 6.1.0", "  -> \(image) (booster): fresh, its modules are the installed ones",
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
        "     the module hello in it is not the one that is installed",
        "     modules of DKMS in it: hello; 0 others",
      ])
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
