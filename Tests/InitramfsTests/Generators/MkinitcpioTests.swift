// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

@Suite struct MkinitcpioTests {
  private let machine: BootMachine

  init() throws { machine = try BootMachine() }

  private var root: String { machine.path.string }

  @Test func everyKeyOfAPresetIsInTheCall() async throws {
    try machine.directory.write("\(BootMachine.release)\n", to: "boot/vmlinuz-linux.release")
    try machine.directory.write("", to: "boot/vmlinuz-linux")
    try machine.directory.write(
      """
      ALL_config="/etc/all.conf"
      ALL_kver="/boot/vmlinuz-linux"
      ALL_kerneldest='/boot/k'
      ALL_image=/boot/unused.img
      PRESETS=('default' "fallback" array nothing)
      default_image="/boot/initramfs-linux.img"
      default_uki="/efi/EFI/Linux/arch.efi"
      default_cmdline=/etc/kernel/cmdline
      default_splash=/usr/share/logo.bmp
      default_options="-S autodetect  --verbose"
      fallback_kver="\(BootMachine.release)"
      fallback_config=/etc/fallback.conf
      fallback_image="/boot/initramfs-linux-fallback.img"
      array_efi_image=/efi/old.efi
      array_options=(--cmdline '/a path' --no-cmdline)
      [[ $PATH ]] && fallback_options="-A $(echo extra)"
      """, to: "etc/mkinitcpio.d/linux.preset")
    try machine.directory.write("HOOKS=(base)", to: "etc/all.conf")
    try machine.directory.write("HOOKS=(base)", to: "etc/fallback.conf")
    let recipes = try await machine.recipes(.mkinitcpio, machine.kernel())
    let images = recipes.map {
      $0.images.map { "\($0.form) \($0.path.dropFirst(root.count)) \($0.preset ?? "")" }
    }
    #expect(
      images == [
        [
          "archive /boot/initramfs-linux.img linux/default",
          "unifiedKernelImage /efi/EFI/Linux/arch.efi linux/default",
        ],
        ["archive /boot/initramfs-linux-fallback.img linux/fallback"],
        ["unifiedKernelImage /efi/old.efi linux/array"],
      ])
    let generator = Mkinitcpio(machine.system)
    let calls = zip(recipes, [["A", "B"], ["A"], ["B", "C"]]).map { recipe, paths in
      generator.arguments(for: recipe, writing: paths)
    }
    #expect(
      calls == [
        [
          "-g", "A", "-U", "B", "-k", "/boot/vmlinuz-linux", "-c", "/etc/all.conf", "--cmdline",
          "/etc/kernel/cmdline", "--splash", "/usr/share/logo.bmp", "-S", "autodetect", "--verbose",
          "--nopost",
        ],
        ["-g", "A", "-k", BootMachine.release, "-c", "/etc/fallback.conf", "-A", "extra", "--nopost"],
        [
          "-U", "B", "-g", "C", "-k", "/boot/vmlinuz-linux", "-c", "/etc/all.conf", "--cmdline", "/a path",
          "--no-cmdline", "--nopost",
        ],
      ])
    #expect(recipes[0].environment == ["MKINITCPIO_PROCESS_PRESET": "linux-default"])
    #expect(recipes[0].followUp?.kernelDestination == "/boot/k")
  }

  @Test func aKernelIsKnownByItsReleaseItsDirectoryItsHeaderAndItsName() async throws {
    let kernel = try machine.kernel()
    var header = [UInt8](repeating: 0, count: 0x400)
    header.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
    header.replaceSubrange(0x20E..<0x210, with: [0x00, 0x01])
    header.replaceSubrange(0x300..<0x300, with: "\(BootMachine.release) (builder) #1\0".utf8)
    try Files.write(header, to: machine.path.appending("boot/other".components))
    let names = [
      BootMachine.release, "/usr/lib/modules/\(BootMachine.release)/vmlinuz", "/boot/other",
      "/boot/vmlinuz-linux",
      "/boot/vmlinuz-linux-zen", "6.0.0-gone",
    ]
    for name in names where name.hasPrefix("/") && name != "/boot/other" {
      try machine.directory.write("", to: String(name.dropFirst()))
    }
    for (index, name) in names.enumerated() {
      try machine.directory.write(
        "PRESETS=(one)\none_kver=\(name)\none_image=/boot/\(index).img\n",
        to: "etc/mkinitcpio.d/\(index).preset")
    }
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    #expect(recipes.map { $0.images[0].preset ?? "" } == ["0/one", "1/one", "2/one", "3/one"])
  }

  @Test func modulesAreAskedForByTheConfigurationItsDropInsAndItsHooks() async throws {
    let kernel = try machine.kernel()
    for module in ["listed", "dropped_in", "hooked", "second", "string", "skipped", "chosen"] {
      try machine.install(module, module)
    }
    try machine.directory.write("MODULES=(listed ext4)\nHOOKS=(base net zfs)\n", to: "etc/mkinitcpio.conf")
    try machine.directory.write("MODULES+=('dropped-in?')\n", to: "etc/mkinitcpio.conf.d/a.conf")
    try machine.directory.write("MODULES='string'\nHOOKS='base'\n", to: "etc/string.conf")
    try machine.directory.write("build() { add_binary skipped; }", to: "usr/lib/initcpio/install/base")
    try machine.directory.write(
      "build() {\n  map add_module \\\n    hooked \\\n    'second?' # and chosen\n  add_module \"$chosen\"\n}\n",
      to: "etc/initcpio/install/zfs")
    try machine.directory.write(
      """
      PRESETS=(usual own)
      ALL_kver=\(BootMachine.release)
      usual_image=/boot/usual.img
      own_image=/boot/own.img
      own_config=/etc/string.conf
      """, to: "etc/mkinitcpio.d/linux.preset")
    #expect(MkinitcpioConfiguration.namedModules(in: "build() { add_module one; }") == ["one"])
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    #expect(recipes[0].requests.map(\.module) == ["listed", "dropped_in", "hooked", "second"])
    #expect(
      recipes[0].requests.map(\.place) == [
        "MODULES in mkinitcpio.conf", "MODULES in mkinitcpio.conf", "the hook zfs", "the hook zfs",
      ])
    #expect(recipes[1].requests.map(\.module) == ["string"])
  }

  @Test func aPresetThatCannotBeReadIsNamedAndKeepsNoOtherFromBeingRead() async throws {
    let kernel = try machine.kernel()
    let images = "ALL_kver=\(BootMachine.release)\nPRESETS=(a b)\na_image=/boot/a.img\nb_image=/boot/b.img\n"
    try machine.directory.write(images, to: "etc/mkinitcpio.d/good.preset")
    try machine.directory.write("PRESETS=(\n", to: "etc/mkinitcpio.d/bad.preset")
    try machine.directory.write("exit 0\n", to: "etc/mkinitcpio.d/ends.preset")
    // Two presets share this configuration, which is named once.
    try machine.directory.write("\(images)ALL_config=/etc/other.conf\n", to: "etc/mkinitcpio.d/other.preset")
    try machine.directory.write("MODULES=(\n", to: "etc/other.conf")
    let found = await ImageSurvey(machine.system).recipes(of: .mkinitcpio, for: [kernel])
    #expect(found.recipes.map { $0.images[0].preset } == ["good/a", "good/b"])
    #expect(
      found.problems.map { String($0.subject.dropFirst(root.count)) }
        == ["/etc/mkinitcpio.d/bad.preset", "/etc/mkinitcpio.d/ends.preset", "/etc/other.conf"])
  }

  @Test func aPresetMayDoWhatBashDoes() async throws {
    let kernel = try machine.kernel()
    try machine.directory.write(
      """
      echo noise; echo more >&2
      declare -r ALL_kver='\(BootMachine.release)'
      trap 'echo bye' EXIT
      IFS=,
      set -eu -o noglob
      names() { printf '%s ' one two; }
      IFS=' ' read -r -a PRESETS <<< "$(names)"
      PRESETS+=('' 'not-a-name' three)
      one_image="/boot/a $(echo b)'s.img" one_options="-S autodetect"
      two_image=/boot/$'n\\xc3\\xa9e'.img
      """, to: "etc/mkinitcpio.d/odd.preset")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    #expect(
      recipes.flatMap(\.images).map { String($0.path.dropFirst(root.count)) } == [
        "/boot/a b's.img", "/boot/née.img",
      ])
    #expect(recipes[0].options == ["-k", BootMachine.release, "-S", "autodetect"])
  }

  @Test func dropInsCountInTheOrderOfVersions() async throws {
    let kernel = try machine.kernel()
    for module in ["nine", "ten"] { try machine.install(module, module) }
    try machine.directory.write("MODULES=(nine)\n", to: "etc/mkinitcpio.conf.d/9-x.conf")
    try machine.directory.write("MODULES=(ten)\n", to: "etc/mkinitcpio.conf.d/10-x.conf")
    try machine.directory.write("HOOKS=(base)\n", to: "etc/mkinitcpio.conf")
    try addPreset("default_image=/boot/i.img")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    #expect(recipes[0].requests.map(\.module) == ["ten"])
  }

  @Test func aPresetWhoseKernelIsNotThereMakesNothing() async throws {
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try machine.directory.write(
      "PRESETS=(default)\nALL_kver=/boot/vmlinuz-linux\ndefault_image=/boot/i.img\n",
      to: "etc/mkinitcpio.d/linux.preset")
    let found = await ImageSurvey(machine.system).recipes(of: .mkinitcpio, for: [kernel])
    #expect(found.recipes.isEmpty && found.problems.isEmpty)
    #expect(
      found.leftovers == [
        LeftoverPreset(
          file: "\(root)/etc/mkinitcpio.d/linux.preset", kernelFile: "\(root)/boot/vmlinuz-linux")
      ])
  }

  // MARK: Errors with which it writes an image all the same

  @Test func anImageThatIsAsGoodAsTheOldOneIsUsedWhateverWasMissed() async throws {
    try addPreset("default_image=/boot/i.img")
    let kernel = try machine.kernel()
    try machine.directory.write(
      "HOOKS=(base)\n# no-such\nMODULES=(hello no_such)\n", to: "etc/mkinitcpio.conf")
    try machine.install("hello", "1")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    try await machine.settle(recipes)
    try machine.install("hello", "2")
    try machine.directory.write("complain", to: "behaviour")
    let entry = try #require(await machine.plan(recipes).generated.first)
    let complaints = try await machine.maker.make(entry)
    #expect(
      complaints == [
        GenerationError(
          "mkinitcpio", "module not found: 'no-such'",
          remedy: "take no-such out of \(root)/etc/mkinitcpio.conf, line 3")
      ])
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
  }

  @Test func anImageThatLacksWhatTheOldOneHadIsNotUsed() async throws {
    try addPreset("default_image=/boot/i.img")
    let kernel = try machine.kernel()
    try machine.directory.write("HOOKS=(base\n  encrypt)\n", to: "etc/mkinitcpio.conf")
    try machine.install("hello", "1")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    try await machine.settle(recipes)
    let before = try machine.bytes("boot/i.img")
    try machine.install("hello", "2")
    try machine.directory.write("lack", to: "behaviour")
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(
      error?.reason == "mkinitcpio ended with status 1: ==> ERROR: binary not found: 'cryptsetup'")
    #expect(
      error?.remedy?.hasPrefix(
        "install what has cryptsetup, or take encrypt out of \(root)/etc/mkinitcpio.conf, line 2") == true)
    #expect(try machine.bytes("boot/i.img") == before)
  }

  @Test func anErrorAmongThoseThatIsOfAnotherKindMeansThatItFailed() {
    let missing = "==> ERROR: module not found: 'a'\n"
    #expect(MkinitcpioComplaint.all(in: missing).map(\.name) == ["a"])
    #expect(MkinitcpioComplaint.all(in: "\(missing)==> ERROR: Image generation FAILED: 'zstd'\n").isEmpty)
  }

  // MARK: What follows

  @Test func aVersionThatKnowsNoNopostIsNotToldSo() async throws {
    try machine.run("sed -i '/--nopost) : ;;/d' bin/mkinitcpio")
    try addPreset("default_image=/boot/i.img")
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try await machine.settle(machine.recipes(.mkinitcpio, kernel))
    #expect(machine.calls == ["mkinitcpio -g /boot/.i.img.alpm-dkms-new -k \(BootMachine.release)"])
  }

  @Test func postHooksHaveTheEnvironmentThatMkinitcpioGivesThem() async throws {
    try addPreset("ALL_kerneldest=/boot/k\ndefault_image=/boot/i.img")
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try addPostHook("note", "env | grep -E '^(MKINITCPIO|KERNEL)' | sort > $ROOT/seen")
    try await machine.settle(machine.recipes(.mkinitcpio, kernel))
    #expect(
      machine.text("seen") == """
        KERNELDESTINATION=/boot/k
        KERNELVERSION=\(BootMachine.release)
        MKINITCPIO_KERNELDEST=/boot/k
        MKINITCPIO_PROCESS_PRESET=linux-default
        """)
  }

  private func addPreset(_ lines: String) throws {
    try machine.directory.write(
      "PRESETS=(default)\nALL_kver=\(BootMachine.release)\n\(lines)\n", to: "etc/mkinitcpio.d/linux.preset")
  }

  private func addPostHook(_ name: String, _ words: String, in place: String = "etc") throws {
    try machine.directory.write("#!/bin/sh\n\(words)\n", to: "\(place)/initcpio/post/\(name)")
    try machine.run("chmod +x \(place)/initcpio/post/\(name)")
  }

  @Test func postHooksSeeTheImageInItsPlaceUnderItsName() async throws {
    try addPreset("default_image=/boot/i.img")
    try machine.directory.write("", to: "usr/lib/modules/\(BootMachine.release)/vmlinuz")
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try addPostHook(
      "sign", "echo \"$KERNELVERSION $KERNELDESTINATION $*\" >> $ROOT/signed; cp \"$2\" $ROOT/seen")
    try addPostHook("sign", "false", in: "usr/lib")
    try machine.directory.write("exit 1", to: "etc/initcpio/post/not-executable")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    try await machine.settle(recipes)
    let image = recipes[0].images[0].path
    #expect(
      machine.text("signed")
        == "\(BootMachine.release) /boot/vmlinuz-linux \(root)/usr/lib/modules/\(BootMachine.release)/vmlinuz \(image)"
    )
    #expect(try machine.bytes("seen") == Files.read(.init(image)))
    #expect(Disk.list(machine.path.appending("state")).isEmpty)
  }

  @Test func aRunThatWasKilledBeforeThePostHooksIsFollowedByThem() async throws {
    try addPreset("default_image=/boot/i.img")
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try addPostHook("sign", "exit 3")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(
      error?.reason.hasPrefix("it was made, but \(root)/etc/initcpio/post/sign ended with status 3") == true)
    #expect(await machine.plan(recipes).generated.isEmpty)
    try addPostHook("sign", "echo yes >> $ROOT/signed")
    try await machine.maker.resume(recipes[0])
    try await machine.maker.resume(recipes[0])
    #expect(machine.text("signed") == "yes")
  }

  @Test func anImageAndTheUnifiedOneAreMadeByOneCall() async throws {
    try machine.addStub()
    try addPreset("default_image=/boot/i.img\ndefault_uki=/boot/u.efi\nPRESETS+=(only)\nonly_uki=/boot/o.efi")
    let kernel = try machine.kernel()
    try machine.install("hello", "1")
    try addPostHook("note", "echo $# >> $ROOT/counts")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    try await machine.settle(recipes)
    #expect(machine.calls.count == 2)
    #expect(try machine.modules(in: "boot/i.img") == ["hello"])
    #expect(try machine.modules(in: "boot/u.efi", .unifiedKernelImage) == ["hello"])
    #expect(try machine.modules(in: "boot/o.efi", .unifiedKernelImage) == ["hello"])
    #expect(machine.text("counts") == "3\n3")
    #expect(Disk.list(machine.path.appending("boot")) == ["i.img", "o.efi", "u.efi"])
    try await machine.settle(recipes)
    #expect(machine.calls.count == 2)
  }
}
