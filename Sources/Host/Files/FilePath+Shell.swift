// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
package import SystemPackage

extension FilePath {
  /// The path as a shell has to be given it.
  package var quoted: String { string.quotedForShell }
}
