// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

extension String {
  /// The order that libalpm sorts names and paths by.
  static func inByteOrder(_ left: String, _ right: String) -> Bool {
    strcmp(left, right) < 0
  }
}
