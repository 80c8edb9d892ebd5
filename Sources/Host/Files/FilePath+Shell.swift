// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
package import SystemPackage

extension FilePath {
  /// The path, quoted for a shell.
  package var quoted: String { string.quotedForShell }
}
