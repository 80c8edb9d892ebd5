// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// The test makes images with the programs that generators use.
  static var requiresImageTools: Self {
    Requirement.needs("needs cpio, bsdcpio, lz4, zstd, xz, objcopy and the stub of systemd-boot") {
      Requirement.hasPrograms("cpio", "bsdcpio", "lz4", "zstd", "xz", "objcopy")
        && Disk.isFile(UnifiedKernelImageTests.stub)
    }
  }

  /// The test makes file systems in files.
  static var requiresFileSystemTools: Self {
    Requirement.needs("needs squashfs-tools and erofs-utils") {
      Requirement.hasPrograms("mksquashfs", "unsquashfs", "mkfs.erofs", "fsck.erofs")
    }
  }

  /// The test signs images for Secure Boot.
  static var requiresSigningTools: Self {
    Requirement.needs("needs sbsigntool, openssl, objcopy and the stub of systemd-boot: run make test") {
      Requirement.hasPrograms("sbsign", "sbverify", "openssl", "objcopy")
        && Disk.isFile(UnifiedKernelImageTests.stub)
    }
  }

  /// The test has systemd's own program install kernels.
  static var requiresKernelInstall: Self {
    Requirement.needs("needs systemd's kernel-install: run make test") {
      Requirement.hasPrograms("kernel-install")
    }
  }

  /// The test makes an image with dracut.
  static var requiresDracut: Self {
    Requirement.slowlyNeeds("needs dracut and strip") { Requirement.hasPrograms("dracut", "strip") }
  }
}
