// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
package import SystemPackage

/// Who may change what is at a path.
package struct Rights: Hashable, Sendable {
  /// What it is.
  package let kind: Files.Kind
  /// The number of the user who owns it.
  package let owner: UInt32
  /// Whether its group may write to it.
  package let isOpenToGroup: Bool
  /// Whether everybody may write to it.
  package let isOpenToAll: Bool
  /// Whether only owners may remove or replace what is in this directory.
  package let isSticky: Bool

  /// Whether its owner is root or the user of this process: nobody can be kept from changing their own files.
  package var isTrustedOwner: Bool { owner == 0 || owner == geteuid() }
  /// Whether others than its owner may write to it.
  package var isOpen: Bool { isOpenToGroup || isOpenToAll }
}

extension Files {
  /// Who may change what is at the path itself, links not followed; nil where nothing is.
  ///
  /// An access list counts as far as it gives rights, since its mask stands in the place of the group's.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func rights(_ path: FilePath) throws(HostError) -> Rights? {
    guard let status = try status(path, follow: false) else { return nil }
    let mode = status.st_mode
    // S_ISVTX, which Swift does not see.
    return Rights(
      kind: kind(of: status), owner: status.st_uid, isOpenToGroup: mode & S_IWGRP != 0,
      isOpenToAll: mode & S_IWOTH != 0, isSticky: mode & 0o1000 != 0)
  }
}
