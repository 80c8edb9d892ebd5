// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import SystemPackage
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// The test reads or writes archives, for which libarchive must be there.
  static var requiresLibarchive: Self { Requirement.needs("needs libarchive") { hasLibarchive } }

  /// The test runs GNU tar and bsdtar.
  static var requiresTars: Self {
    Requirement.needs("needs tar and bsdtar") { Requirement.hasPrograms("tar", "bsdtar") }
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
