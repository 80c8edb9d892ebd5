// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Images that the real dracut makes, in whole transactions.
@Suite(.requiresPacman)
struct DracutTests {
  private static let ltsImage = "/boot/initramfs-linux-lts.img"
  private static let stableImage = "/boot/initramfs-linux.img"

  private func systemWithImage() async throws -> System {
    let system = try await System.withLTSKernel()
    try await system.addDracut()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    #expect(try await system.modules(in: Self.ltsImage) == ["\(System.lts)/updates/dkms/hello_world.ko"])
    return system
  }

  @Test func onlyTheImageWhoseModuleChangedIsMadeAndOnce() async throws {
    let system = try await System.withTwoKernels()
    try await system.addDracut()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)
    try await system.expectInstalledModule(in: Self.stableImage, of: System.stable)
    try await system.root.shell("cp \(Self.stableImage) /before; rm /dracut-calls").mustSucceed()

    // This version does not build for the stable kernel, whose image stays good with the module that stays.
    let upgrade = try await system.install("hello-world-dkms=1.2-")
    #expect(upgrade.all.contains("  -> making \(Self.ltsImage)\n"), "\(upgrade)")
    #expect(
      upgrade.all.contains(" s (the module hello_world in it is not the one that is installed)\n"),
      "\(upgrade)"
    )
    #expect(try await system.dracutCalls(for: System.lts) == 1)
    #expect(try await system.dracutCalls(for: System.stable) == 0)
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)
    #expect(try await system.root.shell("cmp /before \(Self.stableImage)").status == 0)

    // Another module that images should have comes in beside the last good build of the one that fails.
    let other = try await system.makePackage(
      "other-dkms", content: System.source("other", "1", modules: ["other"]))
    try await system.root.shell("echo 'add_drivers+=\" other \"' > /etc/dracut.conf").mustSucceed()
    let addition = try await system.pacman("-U", [other])
    #expect(try await system.modules(in: Self.ltsImage).count == 2, "\(addition)")
    #expect(try await system.modules(in: Self.stableImage).count == 2, "\(addition)")
    try await system.expectInstalledModule(in: Self.stableImage, of: System.stable)

    try await system.remove("hello-world-dkms").mustSucceed()
    for (image, release) in [(Self.ltsImage, System.lts), (Self.stableImage, System.stable)] {
      let modules = try await system.modules(in: image)
      #expect(modules.count == 1 && modules[0].hasPrefix("\(release)/updates/dkms/other.ko"), "\(modules)")
    }
    #expect(try await system.root.shell("ls -A /boot | grep -v -e ^initramfs- -e ^vmlinuz-").lines.isEmpty)
  }

  @Test func aModuleInNoImageMakesNoneAndNothingIsMissedByThat() async throws {
    let system = try await systemWithImage()
    try await system.root.shell("cp \(Self.ltsImage) /before; rm /dracut-calls").mustSucceed()
    let run = try await system.install("v4l2loopback-dkms")
    try run.mustSucceed()
    #expect(try await system.installedModules().count == 2, "the other module is installed")
    #expect(try await system.dracutCalls(for: System.lts) == 0, "\(run)")
    #expect(try await system.root.shell("cmp /before \(Self.ltsImage)").status == 0)
    try await system.root.shell("/usr/bin/dracut --force /by-hand.img --kver \(System.lts)").mustSucceed()
    #expect(try await system.modules(in: "/by-hand.img") == system.modules(in: Self.ltsImage))
  }

  @Test func headersAloneBringTheModuleIntoTheImageThatTheGeneratorsOwnHookMade() async throws {
    let system = try await System.withoutKernels()
    try await system.addDracut()
    try await system.root.shell(
      """
      cat > /etc/pacman.d/hooks/90-dracut-install.hook << 'HOOK'
      [Trigger]
      Operation = Install
      Type = Path
      Target = usr/lib/modules/*/vmlinuz
      [Action]
      When = PostTransaction
      Exec = /bin/sh /make-image
      HOOK
      cat > /make-image << 'SCRIPT'
      \(System.putKernelsIntoBoot)
      dracut --force \(Self.ltsImage) --kver \(System.lts)
      SCRIPT
      """
    ).mustSucceed()
    // Without headers the verdict is not good, and the image made by the generator's own hook lacks the module.
    _ = try await system.install("hello-world-dkms=1.0-", "linux-lts")
    #expect(try await system.dracutCalls(for: System.lts) == 0)
    #expect(
      try await system.root.shell("cat /dracut-calls").lines == [
        "--force \(Self.ltsImage) --kver \(System.lts)"
      ], "what its own hook has made is fresh")
    #expect(try await system.modules(in: Self.ltsImage).isEmpty)

    let headers = try await system.install("linux-lts-headers")
    try headers.mustSucceed()
    #expect(headers.all.contains("which drivers in dracut.conf asks for"), "\(headers)")
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)
    #expect(try await system.dracutCalls(for: System.lts) == 1)
  }

  @Test func theOldImageStaysWhereDracutFailsOrTheDiskIsFull() async throws {
    let system = try await systemWithImage()
    try await system.root.shell("cp \(Self.ltsImage) /before; touch /dracut-fails").mustSucceed()
    let failing = try await system.install("hello-world-dkms=1.1-")
    #expect(failing.status == 0 && failing.reportsFailedHook)
    #expect(
      failing.all.contains(
        "==> ERROR: \(Self.ltsImage): dracut ended with status 1: dracut: ERROR: no such luck"),
      "\(failing)")
    #expect(try await system.root.shell("cmp /before \(Self.ltsImage)").status == 0)

    let full = try await system.root.shell(
      """
      set -e
      rm /dracut-fails
      mount -t tmpfs -o size=5m none /boot
      cp /before \(Self.ltsImage)
      pacman --noconfirm -U \(System.package("hello-world-dkms=1.0-")) \(System.package("noauto-dkms"))
      cp \(Self.ltsImage) /before
      head -c 8M /dev/urandom > /big
      mkdir -p /etc/dracut.conf.d
      echo 'install_items+=" /big "' > /etc/dracut.conf.d/big.conf
      pacman --noconfirm -U \(System.package("hello-world-dkms=1.1-"))
      cmp /before \(Self.ltsImage)
      ls -A /boot
      rm /etc/dracut.conf.d/big.conf
      """)
    #expect(full.status == 0 && full.lines.last == "initramfs-linux-lts.img", "\(full)")
    #expect(full.all.contains("==> ERROR: \(Self.ltsImage): no room: "), "\(full)")

    // With room again the next transaction makes up for it.
    try await system.install("noauto-dkms").mustSucceed()
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)
  }

  @Test func aHookOfOnesOwnWithPackagesWorksAndASecondOneHasNothingToDo() async throws {
    let system = try await System.withLTSKernel()
    try await system.addDracut()
    let own = """
      printf '%s\\n' '[Trigger]' 'Operation = Install' 'Operation = Upgrade' 'Operation = Remove' \
        'Type = Package' 'Target = hello-world-dkms' 'Target = linux-lts' '[Action]' 'When = PostTransaction' \
        'Exec = /usr/lib/alpm-dkms/alpm-dkms-initramfs' 'NeedsTargets' > /etc/pacman.d/hooks/92-own.hook
      """
    try await system.root.shell("\(own); ln -s /dev/null /etc/pacman.d/hooks/91-dkms-initramfs.hook")
      .mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)
    try await system.root.shell("rm \(Self.ltsImage)").mustSucceed()
    try await system.install("linux-lts").mustSucceed()
    try await system.expectInstalledModule(in: Self.ltsImage, of: System.lts)

    try await system.root.shell("rm /dracut-calls /etc/pacman.d/hooks/91-dkms-initramfs.hook").mustSucceed()
    let removal = try await system.remove("hello-world-dkms")
    try removal.mustSucceed()
    #expect(try await system.dracutCalls(for: System.lts) == 1, "\(removal)")
    #expect(try await system.modules(in: Self.ltsImage).isEmpty)
  }
}
