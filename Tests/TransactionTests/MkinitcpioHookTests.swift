// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// The hook that can take the place of mkinitcpio's own, beside the one for stale images.
@Suite(.requiresPacman)
struct MkinitcpioHookTests {
  private static let lts = "/boot/initramfs-linux-lts.img"
  private static let stable = "/boot/initramfs-linux.img"

  private func systemWithImages(optionalHook: Bool) async throws -> System {
    let system = try await System.withTwoKernels()
    if optionalHook {
      try await system.root.shell(
        "cp /usr/share/doc/alpm-dkms/90-mkinitcpio-install.hook /etc/pacman.d/hooks"
      ).mustSucceed()
    }
    try await system.addMkinitcpio()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectOwnModule(in: Self.lts, of: System.lts)
    try await system.expectOwnModule(in: Self.stable, of: System.stable)
    _ = try await system.mkinitcpioCalls()
    return system
  }

  @Test func modulesMakeOnlyStaleImagesAndNewKernelsTheirOwn() async throws {
    let system = try await systemWithImages(optionalHook: true)
    try await system.root.shell("cp \(Self.stable) /before").mustSucceed()

    // This version builds for one of the two kernels.
    let upgrade = try await system.install("hello-world-dkms=1.2-")
    #expect(upgrade.status == 0)
    #expect(
      try await system.mkinitcpioCalls() == [
        "-g beside initramfs-linux-lts.img -k /boot/vmlinuz-linux-lts --nopost"
      ], "\(upgrade)")
    try await system.expectOwnModule(in: Self.lts, of: System.lts)
    #expect(try await system.root.shell("cmp /before \(Self.stable)").status == 0)

    // The image that the optional hook makes of a new kernel is fresh.
    let kernel = try await system.install("linux-rt", "linux-rt-headers")
    #expect(try await system.mkinitcpioCalls() == ["-p linux-rt"], "\(kernel)")
    try await system.expectOwnModule(in: "/boot/initramfs-linux-rt.img", of: System.realtime)

    try await system.remove("hello-world-dkms").mustSucceed()
    let calls = try await system.mkinitcpioCalls()
    let expected = ["linux", "linux-lts", "linux-rt"].map {
      "-g beside initramfs-\($0).img -k /boot/vmlinuz-\($0) --nopost"
    }
    #expect(calls.sorted() == expected.sorted())
    #expect(try await system.root.shell("bsdtar -tf \(Self.stable) | grep '[.]ko'").lines == [])
  }

  @Test func whatMkinitcpioIsMadeOfMakesEveryImage() async throws {
    let system = try await systemWithImages(optionalHook: true)
    for path in ["usr/lib/initcpio/install/encrypt", "usr/lib/firmware/device.bin", "usr/bin/lvm"] {
      let name = String(path.split(separator: "/").last ?? "")
      let package = try await system.makePackage(
        "own-\(name)", content: "mkdir -p \(path) && rmdir \(path) && touch \(path)")
      try await system.pacman("-U", ["--overwrite", "*", package]).mustSucceed()
      #expect(try await system.mkinitcpioCalls() == ["-P"], "\(path)")
    }
    try await system.pacman("-U", [system.mkinitcpioPackage("2-1")]).mustSucceed()
    #expect(try await system.mkinitcpioCalls() == ["-P"])
  }

  @Test func withoutItEveryModuleMakesEveryImage() async throws {
    let system = try await systemWithImages(optionalHook: false)
    let upgrade = try await system.install("hello-world-dkms=1.2-")
    #expect(upgrade.status == 0)
    #expect(try await system.mkinitcpioCalls() == ["-P"], "what mkinitcpio has made is fresh: \(upgrade)")
    try await system.expectOwnModule(in: Self.lts, of: System.lts)
  }
}
