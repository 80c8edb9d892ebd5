// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import Testing

@testable import Alpm

extension Trait where Self == ConditionTrait {
  /// The test compares with libalpm, which must be loadable.
  static var requiresLibalpm: Self {
    .enabled("libalpm cannot be loaded") { (try? AlpmLibrary()) != nil }
  }

  /// The test lets pacman write a database, which pacman does for root only.
  static var requiresPacman: Self {
    .enabled("needs pacman and root") {
      geteuid() == 0
        && ["pacman", "bsdtar"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }
    }
  }
}
