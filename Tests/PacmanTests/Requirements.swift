// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

@testable import Pacman

extension Trait where Self == ConditionTrait {
  /// The test compares with libalpm, which must be loadable.
  static var requiresLibalpm: Self {
    Requirement.needs("libalpm cannot be loaded") { (try? AlpmLibrary()) != nil }
  }
}
