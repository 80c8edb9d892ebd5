// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import SystemPackage

@testable import Pacman

/// A root in the temporary directory with a local database in it, removed at the end.
final class TemporaryDatabase {
  let root: FilePath
  private let directory: String

  var databasePath: FilePath { root.appending("var/lib/pacman") }
  var local: FilePath { databasePath.appending("local") }

  /// Makes the root; without a version no database is begun in it.
  init(version: String? = "9\n") throws {
    root = FilePath(NSTemporaryDirectory()).appending("alpm-tests-\(UUID().uuidString)")
    directory = root.string
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    if let version { try write(version, to: "var/lib/pacman/local/ALPM_DB_VERSION") }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: root.string)
  }

  func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  func write(_ data: Data, to path: String) throws {
    // Strings, since FilePath is slow without optimisation and large fixtures have thousands of files.
    let file = "\(directory)/\(path)"
    let parent = file[..<(file.lastIndex(of: "/") ?? file.endIndex)]
    try FileManager.default.createDirectory(atPath: String(parent), withIntermediateDirectories: true)
    guard FileManager.default.createFile(atPath: file, contents: data) else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  func entry(_ package: String, _ file: String) -> String {
    "var/lib/pacman/local/\(package)/\(file)"
  }

  func add(_ package: FixturePackage) throws {
    try write(package.desc, to: entry(package.entryName, "desc"))
    try write(package.fileList, to: entry(package.entryName, "files"))
  }

  func open(_ source: LocalDatabase.Source = .files) throws(AlpmError) -> LocalDatabase {
    try LocalDatabase(root: root, source: source)
  }

  /// Everything below the root with its bytes, to show that nothing changed.
  func snapshot() throws -> [String: Data?] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root.string)
    return Dictionary(
      uniqueKeysWithValues: paths.map { ($0, FileManager.default.contents(atPath: "\(root)/\($0)")) })
  }
}

/// A package as pacman records it.
struct FixturePackage {
  var name: String
  var version = "1.0-1"
  var base: String?
  var files: [String] = []
  var backup: [String] = []

  var entryName: String { "\(name)-\(version)" }

  var desc: String {
    """
    %NAME%
    \(name)

    %VERSION%
    \(version)

    \(base.map { "%BASE%\n\($0)\n\n" } ?? "")%DESC%
    What \(name) is – in a line

    %ARCH%
    x86_64

    %BUILDDATE%
    1700000000

    %INSTALLDATE%
    1700000001

    %PACKAGER%
    Nobody <nobody@example.org>

    %SIZE%
    \(files.isEmpty ? 0 : 4096)

    %LICENSE%
    GPL
    custom

    %VALIDATION%
    none

    %DEPENDS%
    glibc

    """ + "\n"
  }

  var fileList: String {
    var text = files.isEmpty ? "" : "%FILES%\n" + files.map { $0 + "\n" }.joined() + "\n"
    if !backup.isEmpty {
      text += "%BACKUP%\n" + backup.map { "\($0)\td41d8cd98f00b204e9800998ecf8427e\n" }.joined() + "\n"
    }
    return text
  }
}
