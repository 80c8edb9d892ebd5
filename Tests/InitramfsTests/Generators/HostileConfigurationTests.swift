// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// No configuration of a generator keeps anybody waiting, fills the memory, or is taken for an empty one.
@Suite struct HostileConfigurationTests {
  private let machine: BootMachine
  private let kernel: BootableKernel

  init() throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.run("mkdir -p etc/mkinitcpio.d etc/dracut.conf.d")
  }

  private func addPreset(_ name: String, _ lines: String = "") throws {
    try machine.directory.write(
      "PRESETS=(one)\none_kver=\(BootMachine.release)\none_image=/boot/\(name).img\n\(lines)\n",
      to: "etc/mkinitcpio.d/\(name).preset")
  }

  /// What a generator makes, by the names of its images, and the problems, without the root directory.
  private func found(
    _ kind: ImageGenerator, _ kernels: [BootableKernel]? = nil
  ) async -> (images: [String], problems: [String]) {
    let found = await ImageSurvey(machine.system).recipes(of: kind, for: kernels ?? [kernel])
    let images = found.recipes.flatMap(\.images).compactMap { FilePath($0.path).lastComponent?.string }
    let problems = found.problems.map {
      "\($0)".split(separator: machine.path.string, omittingEmptySubsequences: false).joined()
    }
    return (images, problems)
  }

  static let unusable = [
    ("mkfifo F", "cannot read it: it is a pipe, a socket or a device, not a file"),
    ("ln -s /dev/zero F", "cannot read it: it is a pipe, a socket or a device, not a file"),
    ("mkdir F", "cannot read it: it is a directory, not a file"),
    ("truncate -s 100G F", "cannot read it: it is too large: more than 1024 KiB"),
    ("ln -s F F", "cannot read it: Too many levels of symbolic links"),
  ]

  /// Puts something in the place of a file.
  private func put(_ words: String, at file: String) throws {
    let path = FilePath(file)
    let name = path.lastComponent?.string ?? ""
    let calls = words.split(separator: "F", omittingEmptySubsequences: false).joined(separator: name)
    try machine.run(
      "mkdir -p \(path.removingLastComponent()) && cd \(path.removingLastComponent()) && \(calls)")
  }

  // MARK: mkinitcpio

  @Test(arguments: unusable) func aPresetThatIsNoSmallFileKeepsNoOtherFromBeingRead(
    _ words: String, _ reason: String
  ) async throws {
    try addPreset("good")
    try put(words, at: "etc/mkinitcpio.d/bad.preset")
    let found = await found(.mkinitcpio)
    #expect(found.images == ["good.img"])
    #expect(found.problems == ["/etc/mkinitcpio.d/bad.preset: \(reason)"])
  }

  @Test(arguments: unusable) func aConfigurationThatIsNoSmallFileIsAProblemOfItsPresetsAlone(
    _ words: String, _ reason: String
  ) async throws {
    try addPreset("good", "one_config=/etc/good.conf")
    try addPreset(
      "bad",
      "one_config=/etc/bad.conf\nPRESETS+=(two)\ntwo_config=/etc/good.conf\n"
        + "two_kver=\(BootMachine.release)\ntwo_image=/boot/two.img")
    try machine.directory.write("HOOKS=(base)", to: "etc/good.conf")
    try put(words, at: "etc/bad.conf")
    let found = await found(.mkinitcpio)
    #expect(found.images == ["two.img", "good.img"])
    #expect(found.problems == ["/etc/bad.conf: \(reason)"])
  }

  @Test(arguments: unusable) func aDropInThatIsNoSmallFileIsAProblem(
    _ words: String, _ reason: String
  ) async throws {
    try addPreset("good")
    try machine.directory.write("HOOKS=(base)", to: "etc/mkinitcpio.conf")
    try put(words, at: "etc/mkinitcpio.conf.d/bad.conf")
    #expect(await found(.mkinitcpio) == ([], ["/etc/mkinitcpio.conf.d/bad.conf: \(reason)"]))
  }

  @Test func directoriesThatCannotBeListedAreProblems() async throws {
    try machine.run("rm -r etc/mkinitcpio.d && ln -s mkinitcpio.d etc/mkinitcpio.d")
    let reason = "cannot list it: Too many levels of symbolic links"
    #expect(await found(.mkinitcpio) == ([], ["/etc/mkinitcpio.d: \(reason)"]))
    try machine.run("rm etc/mkinitcpio.d && ln -s mkinitcpio.conf.d etc/mkinitcpio.conf.d")
    try addPreset("one")
    #expect(await found(.mkinitcpio) == ([], ["/etc/mkinitcpio.conf.d: \(reason)"]))
  }

  @Test func aHookOrAKernelThatCannotBeReadIsAProblem() async throws {
    try addPreset("good", "one_config=/etc/good.conf")
    try addPreset("hook", "one_config=/etc/hook.conf")
    try addPreset("kernel", "one_kver=/boot/vmlinuz-linux")
    try machine.directory.write("HOOKS=(base)", to: "etc/good.conf")
    try machine.directory.write("HOOKS=(zfs)", to: "etc/hook.conf")
    try put("ln -s F F", at: "etc/initcpio/install/zfs")
    try put("mkfifo F", at: "boot/vmlinuz-linux")
    let found = await found(.mkinitcpio)
    #expect(found.images == ["good.img"])
    #expect(
      found.problems == [
        "/etc/initcpio/install/zfs: cannot look at it: Too many levels of symbolic links",
        "/boot/vmlinuz-linux: cannot read it: it is a pipe, a socket or a device, not a file",
      ])
  }

  @Test func whatAPresetWritesBeforeItsValuesIsNoneOfThem() async throws {
    try addPreset(
      "noisy", #"echo noise >&10; printf 'option\0x\0preset\0y\0image\0/boot/y.img\0' >&10; printf x >&10"#)
    #expect(await found(.mkinitcpio) == (["noisy.img"], []))
  }

  @Test func whatAPresetWritesAmongItsValuesIsAProblem() async throws {
    try addPreset("good")
    try addPreset("begin", #"trap "printf 'option\0x\0' >&10" DEBUG"#)
    try addPreset("end", #"trap "printf 'option\0x\0' >&10" EXIT"#)
    let found = await found(.mkinitcpio)
    #expect(found.images == ["good.img"])
    #expect(
      found.problems == [
        "/etc/mkinitcpio.d/begin.preset: something in it prints among the values that bash reads from it",
        "/etc/mkinitcpio.d/end.preset: bash cannot read it to the end",
      ])
  }

  @Test func aPresetThatPrintsWithoutEndOrTakesAllMemoryIsAProblem() async throws {
    try addPreset("good")
    try addPreset("prints", "while :; do printf '%1000000s' '' >&10; done")
    try addPreset("takes", "all=x; while :; do all+=$all; done")
    try addPreset("warns", "while :; do printf '%1000000s' '' >&2; done")
    let found = await found(.mkinitcpio)
    #expect(found.images == ["good.img"])
    try #require(found.problems.count == 3, "\(found.problems)")
    let tooLarge = "what it prints is too large: more than 16384 KiB"
    #expect(found.problems[0] == "/etc/mkinitcpio.d/prints.preset: \(tooLarge)")
    #expect(found.problems[1].hasPrefix("/etc/mkinitcpio.d/takes.preset: bash cannot read it to the end"))
    #expect(found.problems[2] == "/etc/mkinitcpio.d/warns.preset: \(tooLarge)")
  }

  // MARK: dracut and booster

  @Test(arguments: unusable) func aFileOfDracutThatIsNoSmallFileIsAProblem(
    _ words: String, _ reason: String
  ) async throws {
    try machine.directory.write("", to: "boot/initramfs-linux.img")
    try put(words, at: "etc/dracut.conf.d/bad.conf")
    let found = await found(.dracut)
    #expect(found.images == [])
    // Whether it is there at all is asked first.
    let looked = words.hasPrefix("ln -s F") ? "cannot look at it: Too many levels of symbolic links" : reason
    #expect(found.problems == ["/etc/dracut.conf.d/bad.conf: \(looked)"])
  }

  @Test func anImageOfDracutThatCannotBeLookedAtIsNotMissing() async throws {
    try machine.directory.write("", to: "boot/vmlinuz-linux")
    try put("ln -s F F", at: "boot/initramfs-linux-fallback.img")
    let reason = "cannot look at it: Too many levels of symbolic links"
    // A link in /boot may also lead to a directory with images.
    let problems = ["", "/\(BootMachine.release)/initrd"].map {
      "/boot/initramfs-linux-fallback.img\($0): \(reason)"
    }
    #expect(await found(.dracut) == ([], problems))
    try machine.directory.write("", to: "boot/initramfs-linux.img")
    #expect(await found(.dracut) == (["initramfs-linux.img"], problems))
  }

  @Test(arguments: unusable) func aFileOfBoosterThatIsNoSmallFileIsAProblem(
    _ words: String, _ reason: String
  ) async throws {
    try machine.directory.write("", to: "boot/booster-linux.img")
    try put(words, at: "etc/booster.yaml")
    #expect(await found(.booster) == ([], ["/etc/booster.yaml: \(reason)"]))
  }

  @Test func anImageOfBoosterThatCannotBeLookedAtIsAProblemOfItsKernelAlone() async throws {
    let other = try machine.kernel(BootMachine.otherRelease, base: "linux-lts")
    try put("ln -s F F", at: "boot/booster-linux.img")
    try machine.directory.write("", to: "boot/booster-linux-lts.img")
    let found = await found(.booster, [kernel, other])
    #expect(found.images == ["booster-linux-lts.img"])
    #expect(
      found.problems == ["/boot/booster-linux.img: cannot look at it: Too many levels of symbolic links"])
  }

  // MARK: All of them

  @Test func whatThisUserMayNotReadIsTellable() {
    let errors = [Errno.permissionDenied, .ioError].map {
      GenerationError(HostError("list", "/boot", $0))
    }
    #expect(
      errors.map(\.description) == [
        "/boot: cannot list it: Permission denied", "/boot: cannot list it: Input/output error",
      ])
    #expect(errors.map(\.isDenied) == [true, false])
    #expect(
      errors.map(\.remedy) == [
        "make it readable, then: alpm-dkms initramfs", "make it readable, then: alpm-dkms initramfs",
      ])
  }

  @Test func modulesThatCannotBeListedAreAProblemOfTheirKernelAlone() async throws {
    let other = try machine.kernel(BootMachine.otherRelease, base: "linux-lts")
    for base in ["linux", "linux-lts"] { try machine.directory.write("", to: "boot/booster-\(base).img") }
    let modules = "usr/lib/modules/\(BootMachine.release)"
    try put("ln -s F F", at: "\(modules)/updates")
    let found = await found(.booster, [kernel, other])
    #expect(found.images == ["booster-linux-lts.img"])
    #expect(found.problems == ["/\(modules)/updates: cannot list it: Too many levels of symbolic links"])
  }

  @Test func aGeneratorWhoseImagesCannotBeLookedAtMayBeInUse() async throws {
    let inUse = { () async in
      await ImageSurvey(machine.system).generatorsInUse(
        among: ImageGenerator.allCases, for: [kernel])
    }
    try machine.directory.write("", to: "boot/booster-linux.img")
    #expect(await inUse() == [.booster])
    try put("ln -s F F", at: "boot/initramfs-linux.img")
    #expect(await inUse() == [.dracut, .booster])
    try machine.run("rm boot/initramfs-linux.img")
    try addPreset("linux", "one_image=/own/i")
    #expect(await inUse() == [.booster])
    try put("ln -s F F", at: "own/i")
    #expect(await inUse() == [.mkinitcpio, .booster])
  }
}
