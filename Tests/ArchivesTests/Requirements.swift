// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// The test reads or writes archives, for which libarchive must be there.
  static var requiresLibarchive: Self {
    .enabled("needs libarchive") { hasLibarchive || getenv("ALPM_DKMS_REQUIRE_ALL") != nil }
  }

  /// The test runs GNU tar and bsdtar.
  static var requiresTars: Self {
    let tars: [FilePath] = ["/usr/bin/tar", "/usr/bin/bsdtar"]
    return .enabled(
      if: getenv("ALPM_DKMS_REQUIRE_ALL") != nil || tars.allSatisfy(Disk.isExecutable),
      "needs tar and bsdtar")
  }

  private static var hasLibarchive: Bool {
    do throws(ArchiveError) {
      _ = try ArchiveReader("/nonexistent")
      return true
    } catch {
      if case .noLibrary = error.reason { return false }
      return true
    }
  }
}
