// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import Testing

@testable import Pacman

extension Trait where Self == ConditionTrait {
  /// The test compares with libalpm, which must be loadable.
  static var requiresLibalpm: Self {
    .enabled("libalpm cannot be loaded") { isAllRequired || (try? AlpmLibrary()) != nil }
  }

  /// The test lets pacman write a database, which pacman does for root only.
  static var requiresPacman: Self {
    .enabled("needs pacman and root") {
      let programs = ["pacman", "bsdtar"]
      return isAllRequired
        || geteuid() == 0
          && programs.allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }
    }
  }
}

/// Whether a test whose needs are not met is to fail rather than be skipped.
private let isAllRequired = ProcessInfo.processInfo.environment["ALPM_DKMS_REQUIRE_ALL"] != nil
