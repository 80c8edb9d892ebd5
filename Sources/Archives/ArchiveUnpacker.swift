// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage

/// How much an archive may hold.
public struct UnpackLimits: Hashable, Sendable {
  /// Entries, with the directories that their paths imply.
  public var entries = 200_000
  /// Bytes of all files together.
  public var bytes: Int64 = 2 << 30
  /// Bytes of one path.
  ///
  /// Together with the directory it is unpacked to, it must not be too long for the system.
  public var pathLength = 2048

  /// Makes the default limits, which are far above what sources and modules need.
  public init() {}
}

/// Unpacks archives without trusting them.
public struct ArchiveUnpacker: Sendable {
  private let limits: UnpackLimits

  /// Makes an unpacker.
  public init(limits: UnpackLimits = UnpackLimits()) { self.limits = limits }

  /// Reads an archive to its end and checks every entry; writes nothing.
  ///
  /// - Throws: `ArchiveError` where it is damaged, or an entry must not be taken out.
  public func contents(of archive: FilePath) throws(ArchiveError) -> ArchiveContents {
    try walk(archive) { _, _, _ in }
  }

  /// Unpacks an archive into an empty directory that nobody else can write to.
  ///
  /// Everything is checked again: the archive may have changed. Files become the caller's own, writable by
  /// their owner alone, without the bits for set-user-ID and the like, and keep their times.
  ///
  /// - Returns: What was unpacked.
  /// - Throws: `ArchiveError` where the archive is damaged, an entry must not be taken out, or a file cannot be
  ///   written; the caller then removes what is in the directory.
  @discardableResult
  public func unpack(_ archive: FilePath, into directory: FilePath) throws(ArchiveError) -> ArchiveContents {
    // Made last: until then no path below the directory can lead out of it.
    var links: [FilePath: FilePath] = [:]
    let contents = try walk(archive) { entry, path, reader throws(ArchiveError) in
      let goal = directory.appending(path.components)
      do {
        switch entry.kind {
        case .directory: try Files.makeDirectories(goal)
        case .symlink(let target): links[path] = target
        case .hardlink(let target): try link(directory.appending(target.regularComponents), goal)
        case .file: try write(entry, to: goal, from: &reader)
        case .other: break
        }
      } catch {
        throw ArchiveError(failure: error, archive)
      }
    }
    do {
      for (path, target) in links {
        let goal = directory.appending(path.components)
        try Files.makeDirectories(goal.removingLastComponent())
        let code = target.withPlatformString { target in goal.withPlatformString { symlink(target, $0) } }
        guard code == 0 else { throw Errno(rawValue: errno) }
      }
    } catch {
      throw ArchiveError(failure: error, archive)
    }
    return contents
  }

  /// Goes through an archive entry by entry, checks each, and hands it on with the path that it is to have.
  private func walk(
    _ archive: FilePath,
    _ body: (ArchiveEntry, FilePath, inout CountedReader) throws(ArchiveError) -> Void
  ) throws(ArchiveError) -> ArchiveContents {
    var tree = EntryTree(limits: limits)
    var reader = CountedReader(try ArchiveReader(archive), limit: limits.bytes)
    while let entry = try reader.next() {
      let path: FilePath
      do throws(Refusal) {
        path = try tree.insert(entry)
        if entry.kind == .file { try reader.checkAnnouncement(of: entry) }
      } catch {
        throw ArchiveError(.unpack, archive, .refused(entry: entry.path, error))
      }
      try body(entry, path, &reader)
      while try !reader.readChunk(of: entry, in: archive).isEmpty {}
    }
    let contents = ArchiveContents(archive, tree)
    try contents.checkLinks(below: "")
    return contents
  }

  // MARK: Writing

  private func write(
    _ entry: ArchiveEntry, to goal: FilePath, from reader: inout CountedReader
  ) throws {
    try Files.makeDirectories(goal.removingLastComponent())
    // An earlier entry of that path; it may be another name of a file that must not change.
    try Files.remove(goal)
    let descriptor = try FileDescriptor.open(
      goal, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
      permissions: [.ownerReadWrite])
    try descriptor.closeAfter {
      while case let chunk = try reader.readChunk(of: entry, in: goal), !chunk.isEmpty {
        try descriptor.writeAll(chunk)
      }
      let permissions = entry.permissions.rawValue & 0o755 | 0o600
      let times = [timespec(tv_sec: entry.modificationTime, tv_nsec: 0)]
      guard fchmod(descriptor.rawValue, permissions) == 0,
        futimens(descriptor.rawValue, times + times) == 0
      else { throw Errno(rawValue: errno) }
    }
  }

  private func link(_ file: FilePath, _ goal: FilePath) throws {
    try Files.makeDirectories(goal.removingLastComponent())
    guard file != goal else { return }
    try Files.remove(goal)
    let code = file.withPlatformString { file in goal.withPlatformString { Glibc.link(file, $0) } }
    guard code == 0 else { throw Errno(rawValue: errno) }
  }
}

/// A reader that stops where an archive unpacks to more than it may.
private struct CountedReader: ~Copyable {
  private var reader: ArchiveReader
  private let limit: Int64
  private var left: Int64

  init(_ reader: consuming ArchiveReader, limit: Int64) {
    self.reader = reader
    self.limit = limit
    left = limit
  }

  mutating func next() throws(ArchiveError) -> ArchiveEntry? { try reader.next() }

  func checkAnnouncement(of entry: ArchiveEntry) throws(Refusal) {
    guard entry.size <= left else { throw .tooManyBytes(limit: limit) }
  }

  mutating func readChunk(of entry: ArchiveEntry, in archive: FilePath) throws(ArchiveError) -> [UInt8] {
    let chunk = try reader.readChunk()
    left -= Int64(chunk.count)
    guard left >= 0 else {
      throw ArchiveError(.unpack, archive, .refused(entry: entry.path, .tooManyBytes(limit: limit)))
    }
    return chunk
  }
}

extension ArchiveError {
  fileprivate init(failure: any Error, _ archive: FilePath) {
    switch failure {
    case let error as ArchiveError: self = error
    case let error as HostError: self.init(.unpack, archive, error)
    default: self.init(.unpack, archive, .system(failure as? Errno ?? .ioError, archive))
    }
  }
}

extension FilePath {
  fileprivate var regularComponents: [FilePath.Component] { components.filter { $0.kind == .regular } }
}
