// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// A word of a call that is neither an option nor an action.
enum Operand: Equatable {
  /// `NAME` or `NAME/VERSION`.
  case module(String)
  /// A directory with a dkms.conf.
  case source(FilePath)
  /// A tarball.
  case archive(FilePath)

  /// Finds out what a word means by looking at what exists.
  ///
  /// - Parameters:
  ///   - word: The word as it was given.
  ///   - directory: What relative paths start from.
  /// - Throws: `UsageError` for a word that can only be a path but leads to none of these.
  init(_ word: String, from directory: FilePath) throws(UsageError) {
    let path = directory.pushing(FilePath(word)).lexicallyNormalized()
    let isFile = try Self.look(at: path, Files.isFile)
    if path.lastComponent == "dkms.conf", isFile {
      self = .source(path.removingLastComponent())
    } else if try Self.look(at: path.appending("dkms.conf"), Files.isFile) {
      self = .source(path)
    } else if isFile {
      self = .archive(path)
    } else if !["/", "./", "../"].contains(where: word.hasPrefix) {
      self = .module(word)
    } else if try Self.look(at: path, Files.isDirectory) {
      throw .noConfiguration(path.string)
    } else {
      throw .noSuchPath(path.string)
    }
  }

  private static func look(
    at path: FilePath, _ question: (FilePath) throws(HostError) -> Bool
  ) throws(UsageError) -> Bool {
    do { return try question(path) } catch { throw .failedLook("\(error)") }
  }
}
