// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

/// Systems with a real kernel, which boot in an emulated machine.
extension System {
  static let bootable = Disk.list(TestParts.cache.appending("bootable")).first ?? "missing"
  static let bootImage = "/boot/initramfs-linux-boot.img"

  /// What a boot shows of the module hello_world.
  struct Boot: Equatable, CustomStringConvertible {
    /// Of the kernel that runs.
    var release: String
    /// Of the module that this kernel took in; nil where there is none in the image.
    var loadedVersion: String?
    /// Of the module's file in the image.
    var digest: String?

    var description: String { "\(release), \(loadedVersion ?? "no module"), \(digest ?? "no file")" }
  }

  /// The suite, a kernel that boots with its headers, and dracut, whose images tell what they can load.
  static func withBootableKernel() async throws -> System {
    let system = try await withoutKernels()
    try await system.install("linux-boot", "linux-boot-headers").mustSucceed()
    try await system.addDracut()
    try await system.root.shell(
      """
      cat > /usr/lib/boot-proof <<'SCRIPT'
      #!/bin/bash
      export PATH=/usr/sbin:/usr/bin:/sbin:/bin
      mount -t proc proc /proc
      mount -t sysfs sysfs /sys
      read -r _ _ release _ < /proc/version
      modprobe hello_world
      version=
      [[ ! -e /sys/module/hello_world ]] || read -r version < /sys/module/hello_world/version
      digest=$(sha256sum "$(modinfo -n hello_world)")
      echo "BOOT:$release:$version:${digest%% *}:"
      echo 1 > /proc/sys/kernel/sysrq
      while echo o > /proc/sysrq-trigger; do :; done
      SCRIPT
      chmod +x /usr/lib/boot-proof
      echo 'install_items+=" /usr/lib/boot-proof /usr/bin/mount /usr/bin/sha256sum /usr/sbin/modinfo /usr/sbin/modprobe "' \
        > /etc/dracut.conf.d/boot-proof.conf
      """
    ).mustSucceed()
    return system
  }

  /// Boots the kernel and the image that are in /boot now.
  func boot(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Boot {
    let run = try await root.shell(
      """
      timeout 900 qemu-system-x86_64 -accel tcg -m 512 -display none -serial stdio -monitor none -nic none -no-reboot \
        -kernel /boot/vmlinuz-linux-boot -initrd \(Self.bootImage) \
        -append 'console=ttyS0 quiet panic=-1 no_timer_check rdinit=/usr/lib/boot-proof' < /dev/null | tr -d '\\r'
      """)
    let words = run.lines.first { $0.contains("BOOT:") }?.split(
      separator: ":", omittingEmptySubsequences: false
    )
    .map(String.init)
    let shown = try #require(words, "\(run)", sourceLocation: sourceLocation)
    try #require(shown.count == 5, "\(run)", sourceLocation: sourceLocation)
    return Boot(
      release: shown[1], loadedVersion: shown[2].isEmpty ? nil : shown[2],
      digest: shown[3].isEmpty ? nil : shown[3])
  }

  /// The digest of the module that is installed for the kernel that boots; nil where there is none.
  func installedDigest() async throws -> String? {
    try await root.shell("sha256sum /usr/lib/modules/\(Self.bootable)/updates/dkms/hello_world.ko* || true")
      .lines.first.map { String($0.prefix { $0 != " " }) }
  }
}
