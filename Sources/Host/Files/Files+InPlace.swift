// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

/// What is done where a directory cannot be renamed.
///
/// An overlay file system, as below containers and live systems, refuses to rename a directory that a lower layer
/// holds (EXDEV). Its files can be replaced and removed one by one all the same, each in one step.
///
/// Weaker than elsewhere: a reader that takes no lock can see some files of the new directory beside some of the old
/// one while they are exchanged, and a directory that is being deleted with only a part of what it held. Nothing is
/// lost if a run is killed in between: a whole copy of the old directory, on the disk before the first file changes,
/// is put back by `recover`; and what is being deleted stays declared as such to the end, so that the next run goes on.
extension Files {
  /// Moves a directory out of sight in one step, and deletes it there.
  ///
  /// Where it cannot be moved, it is deleted in its place.
  ///
  /// - Parameters:
  ///   - directory: What is deleted.
  ///   - doomed: Where it is moved; what is there is deleted, too.
  ///   - last: The name in it that goes last if it is deleted in its place, which tells the next run what it is.
  ///   - prepare: Done before anything is deleted in its place.
  /// - Throws: `HostError`, also where there is no such directory.
  public static func discard(
    _ directory: FilePath, as doomed: FilePath, last: FilePath.Component,
    prepare: () throws(HostError) -> Void = {}
  ) throws(HostError) {
    try remove(doomed)
    do {
      try rename(directory, to: doomed)
      // Or a power loss could leave it in its place without some of what it held.
      try synchronize(directory.removingLastComponent())
    } catch {
      guard error.errno == .improperLink else { throw error }
      try prepare()
      for entry in try entries(directory) where entry != last { try remove(directory.appending(entry)) }
      try synchronize(directory)
      try remove(directory)
    }
    try remove(doomed)
  }

  /// Exchanges two directories file by file.
  ///
  /// - Throws: `HostError`; if the directory could not be put back as it was, `recover` does it.
  package static func exchangeInPlace(_ staged: FilePath, with path: FilePath) throws(HostError) {
    let kept = keptPath(of: path)
    try copyTree(path, to: kept)
    do {
      try fill(path, from: staged)
    } catch {
      try restore(kept, to: path)
      throw error
    }
    // From here on it is the new one.
    try remove(staged)
    try rename(kept, to: staged)
    try synchronize(path.removingLastComponent())
  }

  /// The path of the directory of which this name keeps a copy while it is changed file by file.
  static func path(keptAs name: String, in directory: FilePath) -> FilePath? {
    guard name.hasPrefix("."), name.hasSuffix(keptSuffix) else { return nil }
    return directory.appending(String(name.dropFirst().dropLast(keptSuffix.count)))
  }

  /// Makes a directory what a kept copy of it is, and removes the copy.
  static func restore(_ kept: FilePath, to path: FilePath) throws(HostError) {
    guard try exists(path) else { return try rename(kept, to: path) }
    // The copy stays whole until nothing needs it any more.
    let staged = stagingPath(for: path)
    try copyTree(kept, to: staged)
    try fill(path, from: staged)
    try remove(staged)
    try discard(kept, as: staged, last: ".")
  }

  private static let keptSuffix = ".alpm-dkms-kept"

  private static func keptPath(of path: FilePath) -> FilePath {
    path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "")\(keptSuffix)")
  }

  /// Moves everything in a directory into another, and removes what else that one holds.
  private static func fill(_ path: FilePath, from staged: FilePath) throws(HostError) {
    let new = try entries(staged)
    for entry in new { try put(staged.appending(entry), to: path.appending(entry)) }
    for entry in try entries(path) where !new.contains(entry) { try remove(path.appending(entry)) }
    guard let original = try status(staged, follow: false) else { return }
    try attempt("write", path) {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
      try descriptor.closeAfter {
        try descriptor.become(like: original)
        try descriptor.sync()
      }
    }
  }

  private static func put(_ staged: FilePath, to path: FilePath) throws(HostError) {
    let (new, old) = (try kind(staged), try kind(path))
    switch (new, old) {
    case (.directory, .directory): try fill(path, from: staged)
    case (.directory, nil): try rename(staged, to: path)
    case (.directory, _), (_, .directory):
      try remove(path)
      try rename(staged, to: path)
    default: try rename(staged, to: path)
    }
  }

  /// Copies a directory with owners, permissions and times, whole or not at all, to a path where nothing is.
  private static func copyTree(_ source: FilePath, to path: FilePath) throws(HostError) {
    let staged = stagingPath(for: path)
    try remove(staged)
    do {
      try copyBelow(source, to: staged)
      try rename(staged, to: path)
      try synchronize(path.removingLastComponent())
    } catch {
      try? remove(staged)
      throw error
    }
  }

  private static func copyBelow(_ source: FilePath, to path: FilePath) throws(HostError) {
    guard let original = try status(source, follow: false) else {
      throw HostError("copy", source, .noSuchFileOrDirectory)
    }
    switch kind(of: original) {
    case .directory:
      guard mkdir(path.string, 0o700) == 0 else { throw HostError("make the directory", path, .current) }
      for entry in try entries(source) { try copyBelow(source.appending(entry), to: path.appending(entry)) }
      try attempt("write", path) {
        let descriptor = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
        try descriptor.closeAfter {
          try descriptor.become(like: original)
          try descriptor.sync()
        }
      }
    case .file:
      try attempt("write", path) { try copyFile(source, to: path, like: original) }
    case .link:
      guard let target = try linkTarget(source), symlink(target.string, path.string) == 0 else {
        throw HostError("link", path, .current)
      }
    case .other: throw HostError("copy", source, .notAFile(.other))
    }
  }

  private static func copyFile(_ source: FilePath, to path: FilePath, like original: stat) throws {
    let input = try FileDescriptor.open(source, .readOnly, options: [.closeOnExec, .nonBlocking])
    try input.closeAfter {
      let output = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
      try output.closeAfter {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = try buffer.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 {
          try output.writeAll(buffer[..<count])
        }
        try output.become(like: original)
        try output.sync()
      }
    }
  }
}
