// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Images that only kernel-install can make anew, through a plugin of the administrator's.
@Suite struct KernelInstallTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let release = BootMachine.release
  private static let token = "0123456789abcdef0123456789abcdef"
  private static let image = "boot/\(token)/\(release)/initrd"
  private static let entry = "boot/loader/entries/\(token)-\(release).conf"
  private static let plugin = "etc/kernel/install.d/50-own.install"
  private static let vmlinuz = "usr/lib/modules/\(release)/vmlinuz"

  init() throws {
    machine = try BootMachine { path in
      [
        "BOOT_ROOT": "\(path)/boot", "MACHINE_ID": Self.token,
        "KERNEL_INSTALL_PLUGINS":
          "\(path)/\(Self.plugin) /usr/lib/kernel/install.d/90-loaderentry.install",
      ]
    }
    kernel = try machine.kernel()
    try machine.install("hello", "old")
    try machine.directory.write("Linux version \(Self.release) (x)", to: Self.vmlinuz)
    try machine.directory.write("", to: "usr/lib/modules/\(Self.release)/modules.order")
    try machine.directory.write("linux /x\n", to: Self.entry)
    // An initramfs of nobody that is known.
    try addProgram(
      Self.plugin,
      """
      [ "$1" = add ] || exit 0
      [ "$(cat "$ROOT/behaviour" 2> /dev/null)" != skip ] || exit 0
      exec "$ROOT/bin/dracut" --force --kver "$2" "${KERNEL_INSTALL_STAGING_AREA:-$3}/initrd"
      """)
    try Files.makeDirectories(path(Self.image).removingLastComponent())
    try machine.run(
      "PATH=bin:$PATH ROOT=. ./\(Self.plugin) add \(Self.release) boot/\(Self.token)/\(Self.release)")
    try machine.run("rm -f calls; cp \(Self.image) before")
  }

  private func path(_ name: String) -> FilePath { machine.path.appending(name.components) }

  private func addProgram(_ name: String, _ words: String) throws {
    try Files.makeDirectories(path(name).removingLastComponent())
    try Files.write("#!/bin/sh\n\(words)\n".bytes, to: path(name), permissions: [.ownerReadWriteExecute])
  }

  /// Takes only what kernel-install is called with here, and runs the plugin as it does.
  private func addStandIn() throws {
    try addProgram(
      "bin/kernel-install",
      """
      echo "kernel-install $*" >> "$ROOT/calls"
      [ $# = 3 ] && [ "$1" = add ] && [ -f "$3" ] || exit 2
      exec "$ROOT/\(Self.plugin)" add "$2" "$BOOT_ROOT/$MACHINE_ID/$2" "$3"
      """)
  }

  private func found() async -> FoundImages {
    await ImageSurvey(machine.system).images(beside: [], installed: [.booster], for: [kernel])
  }

  private func decisions() async -> [ImagePlan.Decision] {
    await machine.plan(found().recipes).entries.map(\.decision)
  }

  private func expectAllIsAsBefore(_ location: SourceLocation = #_sourceLocation) throws {
    #expect(try machine.bytes(Self.image) == machine.bytes("before"), sourceLocation: location)
    let left = Disk.list(path("state")).filter { !$0.hasSuffix(".log") }
    #expect(left.isEmpty, sourceLocation: location)
  }

  @Test func whatNobodyElseCanMakeIsMadeByKernelInstall() async throws {
    try addStandIn()
    #expect(await decisions() == [.keepFresh])
    try machine.install("hello", "new")
    #expect(await decisions() == [.generate([.differs(kernelModule: "hello")])])
    let recipes = await found().recipes
    #expect(recipes.map(\.generator) == [.kernelInstall])
    #expect(
      recipes[0].command(on: machine.system)
        == ["kernel-install", "add", Self.release, path(Self.vmlinuz).string])
    try await machine.settle(recipes)
    #expect(machine.calls.first == "kernel-install add \(Self.release) /\(Self.vmlinuz)")
    #expect(await decisions() == [.keepFresh])
    #expect(Disk.list(path("state")).isEmpty)
  }

  @Test(.requiresKernelInstall) func systemdsOwnMakesIt() async throws {
    try machine.install("hello", "new")
    try await machine.settle(found().recipes)
    #expect(await decisions() == [.keepFresh])
    #expect(machine.text(Self.entry)?.hasSuffix("/\(Self.image)") == true)
    #expect(Disk.list(path("state")).isEmpty)
  }

  @Test(arguments: [plugin, entry, vmlinuz])
  func whereKernelInstallDoesNotMakeItItIsNamed(_ missing: String) async throws {
    try addStandIn()
    try machine.run("rm \(missing)")
    let found = await found()
    #expect(found.recipes.isEmpty)
    #expect(found.orphans.map(\.image.path) == [path(Self.image).string])
  }

  @Test func pluginsThatMakeNoInitramfsMakeNone() async throws {
    try addStandIn()
    try machine.run("mv \(Self.plugin) etc/kernel/install.d/85-initrd.install")
    #expect(await found().orphans.count == 1)
    try machine.run("ln -s /dev/null \(Self.plugin)")
    #expect(await found().orphans.count == 1)
  }

  @Test(arguments: ["fail", "cut", "skip"])
  func whatIsWorseThanBeforeIsTakenBack(_ behaviour: String) async throws {
    try addStandIn()
    try machine.install("hello", "new")
    try machine.directory.write(behaviour, to: "behaviour")
    let recipes = await found().recipes
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.subject == path(Self.image).string, "\(String(describing: error))")
    try expectAllIsAsBefore()
  }

  @Test func whatAKilledRunHasLeftIsPutBackUnlessItCanBeRead() async throws {
    let kept = try KeptImages([path(Self.image)], KernelRelease(Self.release), in: path("state"))
    #expect(kept.file(of: path(Self.image)) != path(Self.image))
    try machine.run("truncate -s 100 \(Self.image)")
    #expect(machine.maker.sweep(beside: []).isEmpty)
    try expectAllIsAsBefore()
    _ = try KeptImages([path(Self.image)], KernelRelease(Self.release), in: path("state"))
    try machine.run("rm \(Self.image)")
    #expect(machine.maker.sweep(beside: []).isEmpty)
    try expectAllIsAsBefore()
    _ = try KeptImages([path(Self.image)], KernelRelease(Self.release), in: path("state"))
    try machine.install("hello", "new")
    try machine.run("ROOT=. ./bin/dracut --kver \(Self.release) \(Self.image); cp \(Self.image) before")
    #expect(machine.maker.sweep(beside: []).isEmpty)
    try expectAllIsAsBefore()
  }

  @Test func unifiedKernelImagesAreItsOwnWhereItsConfigurationSaysSo() async throws {
    try addStandIn()
    try machine.addStub()
    let name = "boot/EFI/Linux/\(Self.token)-\(Self.release).efi"
    try machine.run(
      """
      mkdir -p boot/EFI/Linux && rm -r boot/\(Self.token)
      objcopy --add-section .initrd=before --change-section-vma .initrd=0x3000000 stub.efi \(name)
      """)
    #expect(await found().orphans.map(\.image.path) == [path(name).string])
    try machine.directory.write("# own\nlayout = uki\n", to: "etc/kernel/install.conf")
    #expect(await found().recipes.map(\.generator) == [.kernelInstall])
    try machine.directory.write("3\n", to: "etc/kernel/tries")
    #expect(await found().orphans.count == 1, "its name would be another one")
  }
}
