// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Images that no generator's configuration names, found by what boots them and made anew by who made them.
///
/// docs/images.md has these layouts as a table.
@Suite struct FoundImagesTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let release = BootMachine.release

  init() throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.addStub()
    try machine.directory.write("", to: "usr/lib/modules/\(Self.release)/modules.order")
    try machine.install("hello", "old")
  }

  /// Lays down an image with the installed module and the mark of a generator.
  private func put(_ name: String, by maker: ImageGenerator?, for release: String = release) throws {
    let mark =
      switch maker {
      case .mkinitcpio: "buildconfig"
      case .dracut: "usr/lib/dracut/build-parameter.txt"
      case .booster: "etc/booster.init.yaml"
      case nil, .kernelInstall: "init"
      }
    try machine.run(
      """
      rm -rf tree; modules=tree/usr/lib/modules/\(release)/updates/dkms
      mkdir -p $modules "$(dirname tree/\(mark))" "$(dirname \(name))"; : > tree/\(mark)
      cp usr/lib/modules/\(Self.release)/updates/dkms/hello.ko $modules
      (cd tree && find . | sort | bsdtar -cnf - --format=newc -T -) > packed
      case \(name) in
        *.efi) objcopy --add-section .initrd=packed --change-section-vma .initrd=0x3000000 stub.efi \(name) ;;
        *) cp packed \(name) ;;
      esac
      """)
  }

  private func found(
    _ installed: [ImageGenerator] = ImageGenerator.allCases, beside recipes: [ImageRecipe] = []
  ) async -> FoundImages {
    await ImageSurvey(machine.system).images(beside: recipes, installed: installed, for: [kernel])
  }

  private func names(_ images: [InitramfsImage]) -> [String] {
    images.map { String($0.path.dropFirst(machine.path.string.count + 1)) }
  }

  static let layouts = [
    "boot/0123abcd/\(release)/initrd", "boot/0123abcd/\(release)/initrd-fallback",
    "efi/0123abcd/\(release)/initrd", "boot/0123abcd/linux/initramfs-linux",
  ]
  static let unified = [
    "boot/EFI/Linux/omarchy_linux.efi", "efi/EFI/Linux/arch-linux.efi",
    "boot/efi/EFI/Linux/0123-\(release).efi",
    "efi/EFI/Linux/0123abcd-\(release)+3-1.efi",
  ]

  @Test(arguments: layouts, ImageGenerator.allCases)
  func anArchiveIsMadeAnewByWhoMadeIt(_ name: String, _ maker: ImageGenerator) async throws {
    try put(name, by: maker)
    try machine.install("hello", "new")
    let recipes = await found().recipes
    #expect(names(recipes.flatMap(\.images)) == [name])
    #expect(recipes.map(\.generator) == [maker])
    #expect(
      await machine.plan(recipes).entries.map(\.decision) == [.generate([.differs(kernelModule: "hello")])])
    try await machine.settle(recipes)
    #expect(machine.calls.count == 1 && machine.calls[0].hasPrefix("\(maker.rawValue) "), "\(machine.calls)")
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
  }

  @Test(arguments: unified, [ImageGenerator.mkinitcpio, .dracut])
  func aUnifiedKernelImageIsMadeAnewByWhoMadeIt(_ name: String, _ maker: ImageGenerator) async throws {
    try put(name, by: maker)
    try machine.install("hello", "new")
    let recipes = await found().recipes
    #expect(names(recipes.flatMap(\.images)) == [name])
    try await machine.settle(recipes)
    #expect(machine.calls.count == 1 && machine.calls[0].hasPrefix("\(maker.rawValue) "), "\(machine.calls)")
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
  }

  @Test(arguments: [
    ("boot/loader/entries/arch.conf", "title Arch\nlinux /vmlinuz\ninitrd /ucode.img\ninitrd /own/my.img\n"),
    ("efi/loader/entries/arch.conf", "options root=x initrd=\\own\\my.img\n"),
    ("boot/limine.conf", "/Arch\n  protocol: linux\n  module_path: boot():/own/my.img#0123\n"),
    ("boot/grub/grub.cfg", "menuentry 'Arch' {\n\tinitrd ($root)/boot/own/my.img\n}\n"),
    ("efi/EFI/refind/refind.conf", "menuentry Arch {\n  initrd /own/my.img\n}\n"),
    ("boot/refind_linux.conf", "\"Boot\" \"root=x initrd=/boot/own/my.img\"\n"),
    ("boot/refind_linux.conf", "\"Boot\" \"root=x initrd=boot\\own\\m%v.img\"\n"),
  ])
  func whatABootLoaderNamesIsFound(_ configuration: String, _ text: String) async throws {
    try put("boot/own/my.img", by: .dracut)
    #expect(await found().recipes.isEmpty)
    try machine.directory.write(text, to: configuration)
    #expect(await names(found().recipes.flatMap(\.images)) == ["boot/own/my.img"])
    let entries = await found().entries
    #expect(entries.map(\.file) == [machine.path.appending(configuration.components).string])
    #expect(
      entries.allSatisfy {
        (try? $0.names(machine.path.appending("boot/own/my.img".components).string)) == true
      })
    let recipes = await found().recipes
    #expect(await found(beside: recipes).recipes.isEmpty, "what is known is not looked for")
  }

  @Test func unifiedKernelImagesAreEntriesWhereSystemdBootIs() async throws {
    try put("efi/EFI/Linux/arch-linux.efi", by: .dracut)
    #expect(await found().entries.isEmpty, "other loaders do not show it unasked")
    try machine.directory.write("timeout 3\n", to: "efi/loader/loader.conf")
    let image = machine.path.appending("efi/EFI/Linux/arch-linux.efi".components).string
    #expect(await found().entries.map(\.images) == [[image]])
    #expect(await found().entries.map(\.file) == [image])
  }

  @Test func aPathIsMeantInTheFileSystemOfItsConfiguration() async throws {
    try put("boot/initrd", by: .dracut)
    try put("efi/initrd", by: .dracut)
    try machine.directory.write("linux /vmlinuz\ninitrd /initrd\n", to: "efi/loader/entries/a.conf")
    try machine.directory.write("", to: "boot/vmlinuz")
    let entry = try #require(await found().entries.first)
    #expect(entry.images == [machine.path.appending("efi/initrd".components).string])
    #expect(entry.kernel == machine.path.appending("boot/vmlinuz".components).string)
    #expect(await names(found().recipes.flatMap(\.images)).sorted() == ["boot/initrd", "efi/initrd"])
  }

  @Test func whatNothingHereMakesIsNamedWhenItIsOld() async throws {
    try put("boot/0123abcd/\(Self.release)/initrd", by: nil)
    try put("efi/EFI/Linux/own-linux.efi", by: .dracut)
    #expect(await found([.booster]).orphans.map(\.flaws) == [[], []])
    try machine.install("hello", "new")
    let orphans = await found([.booster]).orphans
    #expect(
      names(orphans.map(\.image)).sorted() == [
        "boot/0123abcd/\(Self.release)/initrd", "efi/EFI/Linux/own-linux.efi",
      ])
    #expect(orphans.allSatisfy { $0.flaws == [.differs(kernelModule: "hello")] && $0.image.generator == nil })
  }

  @Test func anImageWithTheNameOfTheKernelThatIsForOneThatIsGoneIsForAnother() async throws {
    try put("efi/EFI/Linux/arch-linux.efi", by: .mkinitcpio, for: "6.12.0-arch1-1")
    let recipes = await found().recipes
    let decisions = await machine.plan(recipes).entries.map(\.decision)
    #expect(decisions == [.generate([.otherKernel(release: "6.12.0-arch1-1")])])
    try machine.directory.write("", to: "usr/lib/modules/6.12.0-arch1-1/modules.order")
    #expect(await found().recipes.isEmpty, "it boots that kernel")
  }

  @Test func whatIsNoImageOrPutAsideIsNone() async throws {
    try put("boot/0123abcd/\(Self.release)/initrd.bak", by: .dracut)
    try put("boot/0123abcd/linux/.initramfs-linux\(Files.stagingSuffix)", by: .dracut)
    try machine.directory.write("text", to: "efi/EFI/Linux/linux.efi")
    try machine.run("cp stub.efi efi/EFI/Linux/shell.efi")
    let found = await found()
    #expect(found.recipes.isEmpty && found.orphans.isEmpty && found.problems.isEmpty)
  }

  @Test func aConfigurationThatCannotBeReadIsAProblem() async throws {
    try machine.run("mkdir -p boot/loader && ln -s entries boot/loader/entries")
    #expect(await found().problems.count == 1)
  }
}
