// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

@Suite struct DracutAndBoosterTests {
  private let machine: BootMachine

  init() throws { machine = try BootMachine() }

  private func paths(_ recipes: [ImageRecipe]) -> [String] {
    recipes.flatMap(\.images).map { String($0.path.dropFirst(machine.path.string.count)) }
  }

  private func put(_ names: String...) throws {
    for name in names { try machine.directory.write("", to: name) }
  }

  @Test func everyLayoutOfDracutIsFound() async throws {
    let release = BootMachine.release
    try put(
      "boot/initramfs-linux.img", "boot/initramfs-linux-fallback.img", "boot/0123abcd/\(release)/initrd",
      "efi/0123abcd/\(release)/initrd", "boot/initramfs-\(release).img", "boot/initrd.img-\(release)",
      "efi/EFI/Linux/linux-\(release)-0123abcd.efi", "efi/EFI/Linux/other.efi", "boot/initramfs-linux-zen.img"
    )
    let recipes = try await machine.recipes(.dracut, machine.kernel())
    #expect(
      paths(recipes) == [
        "/boot/initramfs-\(release).img", "/boot/initrd.img-\(release)", "/boot/initramfs-linux.img",
        "/boot/initramfs-linux-fallback.img", "/boot/0123abcd/\(release)/initrd",
        "/efi/0123abcd/\(release)/initrd", "/efi/EFI/Linux/linux-\(release)-0123abcd.efi",
      ])
    let calls = recipes.map { Dracut(machine.system).arguments(for: $0, writing: ["OUT"]).dropFirst() }
    #expect(calls[2] == ["--no-uefi", "--kver", release, "OUT"])
    #expect(calls[3] == ["--no-uefi", "--no-hostonly", "--kver", release, "OUT"])
    #expect(calls[6] == ["--uefi", "--kver", release, "OUT"])
  }

  @Test func anImageIsMissedOnlyWhereTheKernelIsThereToBeBooted() async throws {
    let kernel = try machine.kernel()
    #expect(try await machine.recipes(.dracut, kernel).isEmpty)
    #expect(try await machine.recipes(.booster, kernel).isEmpty)
    try put("boot/vmlinuz-linux")
    #expect(try await paths(machine.recipes(.dracut, kernel)) == ["/boot/initramfs-linux.img"])
    #expect(try await paths(machine.recipes(.booster, kernel)) == ["/boot/booster-linux.img"])
    let bare = try machine.kernel(BootMachine.otherRelease, base: nil)
    try put("boot/vmlinuz-\(BootMachine.otherRelease)")
    #expect(
      try await paths(machine.recipes(.dracut, bare)) == ["/boot/initramfs-\(BootMachine.otherRelease).img"])
  }

  @Test func anImageThatTheSystemsOwnHookDoesNotMakeIsNotMissed() async throws {
    let kernel = try machine.kernel()
    try put("boot/vmlinuz-linux")
    for (generator, image) in [(ImageGenerator.dracut, "initramfs-"), (.booster, "booster-")] {
      let hook = "usr/share/libalpm/hooks/90-\(generator.rawValue).hook"
      try machine.directory.write("[Action]\nExec = /usr/share/scripts/own\n", to: hook)
      try machine.directory.write(
        "#!/bin/sh\n\(generator.rawValue) --uefi /efi/EFI/Linux/own.efi\n", to: "usr/share/scripts/own")
      #expect(try await machine.recipes(generator, kernel).isEmpty)
      try machine.directory.write(
        "#!/bin/sh\n\(generator.rawValue) \"/boot/\(image)$base.img\"\n", to: "usr/share/scripts/own")
      #expect(try await machine.recipes(generator, kernel).count == 1)
      try machine.run("rm \(hook)")
    }
  }

  @Test func driversAreAskedForByEveryFileOfDracut() async throws {
    try put("boot/vmlinuz-linux")
    let kernel = try machine.kernel()
    for module in ["a_b", "forced", "left_out", "from_vendor", "overridden"] {
      try machine.install(module, "1")
    }
    try machine.directory.write("add_drivers+=\" a-b left_out \"", to: "etc/dracut.conf")
    try machine.directory.write("force_drivers+=' forced ext4 '", to: "etc/dracut.conf.d/b.conf")
    try machine.directory.write("omit_drivers+=' left-out '", to: "etc/dracut.conf.d/c.conf")
    try machine.directory.write("add_drivers+=' overridden '", to: "usr/lib/dracut/dracut.conf.d/b.conf")
    try machine.directory.write("add_drivers+=' from_vendor '", to: "usr/lib/dracut/dracut.conf.d/a.conf")
    let requests = try await machine.recipes(.dracut, kernel)[0].requests
    #expect(requests.map(\.module) == ["a_b", "from_vendor", "forced"])
    #expect(
      requests.map(\.place) == [
        "add_drivers in dracut.conf", "add_drivers in dracut.conf", "force_drivers in dracut.conf",
      ])
  }

  @Test func boosterIsCalledForItsImageAndAsksForItsLists() async throws {
    let kernel = try machine.kernel()
    for module in ["hello", "loaded", "minus", "star"] { try machine.install(module, "1") }
    try machine.directory.write(
      "network:\n  dhcp: on\nmodules: hello,-minus, st* # star\nmodules_force_load: \"loaded\"\n",
      to: "etc/booster.yaml")
    try put("boot/vmlinuz-linux")
    let recipes = try await machine.recipes(.booster, kernel)
    #expect(recipes[0].requests.map(\.module) == ["hello", "loaded"])
    try await machine.settle(recipes)
    #expect(
      machine.calls == [
        "booster build --force --kernel-version \(BootMachine.release) /boot/.booster-linux.img.alpm-dkms-new"
      ])
    #expect(try machine.modules(in: "boot/booster-linux.img") == ["hello", "loaded", "minus", "star"])
    #expect(Disk.list(machine.path.appending("boot")) == ["booster-linux.img", "vmlinuz-linux"])
  }
}
