// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// What an archive says about one thing in it.
///
/// It is not trusted.
public struct ArchiveEntry: Hashable, Sendable {
  /// Where it would be.
  public var path: FilePath
  /// What it is.
  public var kind: Kind
  /// Its permissions, with the bits for set-user-ID and the like.
  public var permissions: FilePermissions
  /// The bytes of its contents, as announced.
  public var size: Int64
  /// When it was last changed, in whole seconds since 1970.
  public var modificationTime: Int

  /// Describes an entry.
  public init(
    _ path: FilePath, _ kind: Kind, permissions: FilePermissions, size: Int64 = 0, modificationTime: Int = 0
  ) {
    self.path = path
    self.kind = kind
    self.permissions = permissions
    self.size = size
    self.modificationTime = modificationTime
  }

  /// What an entry is.
  public enum Kind: Hashable, Sendable {
    /// A regular file.
    case file
    /// A directory.
    case directory
    /// A symbolic link, with what is written in it.
    case symlink(target: FilePath)
    /// Another name of an entry that came before.
    case hardlink(target: FilePath)
    /// A device, a pipe, a socket.
    case other
  }
}
