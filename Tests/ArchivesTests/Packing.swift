// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// A place to make archives in, and to unpack them.
struct Packing {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try Files.makeDirectories(goal)
  }

  var goal: FilePath { directory.path.appending("goal") }

  var archive: FilePath { directory.path.appending("archive.tar") }

  /// Writes an archive of these entries, whatever they are.
  @discardableResult
  func pack(_ entries: [(ArchiveEntry, String)], as name: String = "archive.tar") throws -> FilePath {
    let file = directory.path.appending(name)
    try Files.remove(file)
    var writer = try ArchiveWriter(creating: file, compression: ArchiveCompression(forFile: file))
    for (entry, text) in entries { try writer.add(entry, contents: Array(text.utf8)) }
    try writer.finish()
    return file
  }

  @discardableResult
  func pack(_ entries: ArchiveEntry...) throws -> FilePath { try pack(entries.map { ($0, "") }) }

  /// What is below the directory that archives are unpacked into, and beside it.
  var listing: [String] { directory.listing() }

  /// Why an archive is refused, which writes nothing; nil where it is not.
  func refusal(of archive: FilePath, limits: UnpackLimits = UnpackLimits()) -> ArchiveError? {
    let before = listing
    do throws(ArchiveError) {
      _ = try ArchiveUnpacker(limits: limits).contents(of: archive)
      return nil
    } catch {
      #expect(listing == before, "something was written")
      return error
    }
  }

  /// The same of an archive that is unpacked without a look before; nothing may come of it outside the goal.
  func refusalWhileUnpacking(_ archive: FilePath) -> ArchiveError? {
    let outside = { listing.filter { !$0.hasPrefix("goal/") } }
    let before = outside()
    do throws(ArchiveError) {
      try ArchiveUnpacker().unpack(archive, into: goal)
      return nil
    } catch {
      #expect(outside() == before, "something was written outside")
      return error
    }
  }

  /// Runs a program that must succeed, in the directory.
  func run(_ words: String) async throws {
    let run = try await Run.program("/bin/sh", ["-c", "cd '\(directory.path)' && \(words)"])
    try #require(run.status == 0, "\(words): \(run)")
  }
}

extension ArchiveEntry {
  static func file(_ path: FilePath, _ mode: CModeT = 0o644) -> ArchiveEntry {
    ArchiveEntry(path, .file, permissions: FilePermissions(rawValue: mode), modificationTime: 1_600_000_000)
  }

  static func directory(_ path: FilePath, _ mode: CModeT = 0o755) -> ArchiveEntry {
    ArchiveEntry(path, .directory, permissions: FilePermissions(rawValue: mode))
  }

  static func symlink(_ path: FilePath, _ target: FilePath) -> ArchiveEntry {
    ArchiveEntry(path, .symlink(target: target), permissions: FilePermissions(rawValue: 0o777))
  }

  static func hardlink(_ path: FilePath, _ target: FilePath) -> ArchiveEntry {
    ArchiveEntry(path, .hardlink(target: target), permissions: FilePermissions(rawValue: 0o644))
  }

  static func pipe(_ path: FilePath) -> ArchiveEntry {
    ArchiveEntry(path, .other, permissions: FilePermissions(rawValue: 0o644))
  }
}
