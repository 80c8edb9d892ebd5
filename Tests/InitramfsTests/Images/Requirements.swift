// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// The test makes images with the programs that generators use.
  static var requiresImageTools: Self { requires(["cpio", "bsdcpio", "lz4", "zstd", "xz", "objcopy"]) }

  /// The test makes an image with dracut.
  static var requiresDracut: Self { requires(["dracut", "strip"]) }

  private static func requires(_ programs: [String]) -> Self {
    let isMet = programs.allSatisfy { Disk.isExecutable(FilePath("/usr/bin/\($0)")) }
    return .enabled(
      if: getenv("ALPM_DKMS_REQUIRE_ALL") != nil || isMet, "needs \(programs.joined(separator: ", "))")
  }
}
