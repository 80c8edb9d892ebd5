// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
public import SystemPackage

/// What an archive holds, all of it checked; paths are relative to where it is unpacked.
public struct ArchiveContents: Sendable {
  private let archive: FilePath
  private let tree: EntryTree

  init(_ archive: FilePath, _ tree: EntryTree) {
    self.archive = archive
    self.tree = tree
  }

  /// Whether there is a directory at the path; links are not followed.
  public func hasDirectory(_ path: FilePath) -> Bool {
    tree.node(at: path.components).map { tree.nodes[$0].kind } == .directory
  }

  /// Whether the path leads to a file, over links as well.
  public func hasFile(_ path: FilePath) -> Bool {
    guard case .node(let node?) = tree.destination(of: path, from: [0]) else { return false }
    return [.file, .hardlink].contains(tree.nodes[node].kind)
  }

  /// The names in a directory, sorted as bytes.
  public func names(in directory: FilePath) -> [FilePath.Component] {
    guard let node = tree.node(at: directory.components) else { return [] }
    return tree.nodes[node].children.keys.sorted { $0.lexicographicallyPrecedes($1) }
      .compactMap { EntryTree.component($0).lastComponent }
  }

  /// The paths of that name that lead to a file; the least nested first, and otherwise sorted as bytes.
  public func files(named name: String) -> [FilePath] {
    var found: [FilePath] = []
    var level: [FilePath] = [""]
    while !level.isEmpty {
      found += level.map { $0.appending(name) }.filter(hasFile)
      level = level.flatMap { directory in
        names(in: directory).map { directory.appending($0) }.filter(hasDirectory)
      }
    }
    return found
  }

  /// Checks that a part of the archive may be moved elsewhere: no link in it leads out of it.
  ///
  /// - Throws: `ArchiveError` that names the link.
  public func checkLinks(below directory: FilePath) throws(ArchiveError) {
    guard let (entry, refusal) = tree.badLink(below: directory) else { return }
    throw ArchiveError(.unpack, archive, .refused(entry: entry, refusal))
  }
}

/// One entry of an archive, as the archive itself describes it.
///
/// Nothing of that is trusted.
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
