// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import Host
import SystemPackage
import Testing

@testable import Pacman

@Suite("Databases that are absent or damaged")
struct DamagedDatabaseTests {
  @Test(
    "No database is an error, and none is begun", arguments: [nil, "", "local"],
    [
      LocalDatabase.Source.automatic, .library, .files,
    ])
  func missing(_ directory: String?, _ source: LocalDatabase.Source) throws {
    let fixture = try TemporaryDatabase(version: nil)
    if let directory {
      try FileManager.default.createDirectory(
        atPath: fixture.databasePath.appending(directory).string, withIntermediateDirectories: true)
    }
    let before = try fixture.snapshot()
    let error = #expect(throws: AlpmError.self) { _ = try fixture.open(source) }
    #expect(error == AlpmError(.open, fixture.databasePath.string, .noDatabase))
    #expect(
      error?.description
        == "cannot open the package database \(fixture.databasePath): no local package database there")
    #expect(try fixture.snapshot() == before)
  }

  @Test("A database without packages is one", arguments: [LocalDatabase.Source.automatic, .files])
  func empty(_ source: LocalDatabase.Source) throws {
    let fixture = try TemporaryDatabase()
    let database = try fixture.open(source)
    #expect(database.packages() == [])
    #expect(database.package(named: "glibc") == nil)
    #expect(database.libraryFailure?.reason.isLibraryMissing ?? true)
  }

  @Test("An unknown format is refused")
  func unknownFormat() throws {
    let fixture = try TemporaryDatabase(version: "10\n")
    let error = #expect(throws: AlpmError.self) { _ = try fixture.open(.files) }
    #expect(error?.reason == .unknownFormat("10"))
  }

  @Test("An unknown format is refused by libalpm in its own words", .requiresLibalpm)
  func unknownFormatInLibrary() throws {
    let fixture = try TemporaryDatabase(version: "10\n")
    let error = #expect(throws: AlpmError.self) { _ = try fixture.open(.library) }
    guard case .library(let code, let message) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(code.rawValue != 0)
    #expect(message == "database is incorrect version")
  }

  @Test("A missing library is replaced by the files, unless it is demanded")
  func missingLibrary() throws {
    let fixture = try TemporaryDatabase()
    try fixture.add(FixturePackage(name: "bash", files: ["usr/"]))
    for sonames in [[], ["libalpm-absent.so.1"], ["libc.so.6"]] {
      let database = try LocalDatabase(
        root: fixture.root, databasePath: nil, source: .automatic, sonames: sonames)
      #expect(database.libraryFailure?.reason.isLibraryMissing == true)
      #expect(database.owners(of: "usr") == ["bash"])

      let error = #expect(throws: AlpmError.self) {
        _ = try LocalDatabase(root: fixture.root, databasePath: nil, source: .library, sonames: sonames)
      }
      #expect(error?.reason.isLibraryMissing == true)
    }
  }

  @Test("A damaged entry spoils no other", arguments: [LocalDatabase.Source.automatic, .files])
  func damagedEntries(_ source: LocalDatabase.Source) throws {
    let fixture = try TemporaryDatabase()
    let good = FixturePackage(name: "good", base: "better", files: ["usr/", "usr/good"])
    try fixture.add(good)
    try fixture.write("%FILES%\nusr/\n", to: fixture.entry("no-desc-1-1", "files"))
    try fixture.write("%NAME%\nno-list\n\n%BASE%\nb\n\n", to: fixture.entry("no-list-1-1", "desc"))
    try fixture.write(good.desc, to: fixture.entry("list-is-a-directory-1-1", "desc"))
    try fixture.write("", to: fixture.entry("list-is-a-directory-1-1", "files/x"))
    try fixture.write(Data([0xff, 0, 0x0a]), to: fixture.entry("junk-1-1", "desc"))
    try fixture.write(Data([0xff, 0, 0x0a]), to: fixture.entry("junk-1-1", "files"))
    try fixture.write("%BASE%\ncu", to: fixture.entry("cut-1-1", "desc"))
    try fixture.write("%FILES%\nusr/\nusr/cu", to: fixture.entry("cut-1-1", "files"))
    try fixture.write("", to: fixture.entry("noversion", "desc"))
    try fixture.write("", to: fixture.entry("-1-1", "desc"))
    try fixture.write("", to: fixture.entry("", "stray-file-1-1"))

    let database = try fixture.open(source)
    #expect(
      database.packages().map(\.name) == [
        "cut", "good", "junk", "list-is-a-directory", "no-desc", "no-list",
      ])
    #expect(database.owners(of: "usr") == ["cut", "good", "no-desc"])
    #expect(
      database.entries(matching: "usr/*").map(\.path) == ["usr/", "usr/cu", "usr/", "usr/good", "usr/"])
    try expectUnreadable("junk", .damaged(.noText), in: database)
    try expectUnreadable("cut", .damaged(.cutShort), in: database)
    try expectUnreadable("no-list", .system(.noSuchFileOrDirectory), in: database)
    let directory = fixture.root.appending(fixture.entry("list-is-a-directory-1-1", "files"))
    try expectUnreadable("list-is-a-directory", .file(directory, .notAFile(.directory)), in: database)
    try expectUnreadable("absent", .notInstalled, in: database)
  }

  @Test("Bytes that are not UTF-8 are repaired", arguments: [LocalDatabase.Source.automatic, .files])
  func invalidUTF8(_ source: LocalDatabase.Source) throws {
    let fixture = try TemporaryDatabase()
    let package = FixturePackage(name: "latin")
    try fixture.add(package)
    try fixture.write(
      Data("%FILES%\nusr/\nusr/caf".utf8) + [0xe9] + Data("\n\n".utf8),
      to: fixture.entry("latin-1.0-1", "files"))
    let database = try fixture.open(source)
    #expect(try database.files(of: "latin") == ["usr/", "usr/caf\u{fffd}"])
    #expect(database.entries(matching: "usr/caf*").map(\.path) == ["usr/caf\u{fffd}"])
  }

  @Test("A hinted answer reads no other file list", .timeLimit(.minutes(60)))
  func narrowQuestion() throws {
    let fixture = try TemporaryDatabase()
    try fixture.add(FixturePackage(name: "linux", files: ["usr/", "usr/lib/"]))
    // A reader of this list would wait for ever: nobody writes into the pipe.
    try fixture.add(FixturePackage(name: "trap"))
    let pipe = fixture.root.appending(fixture.entry("trap-1.0-1", "files")).string
    #expect(unlink(pipe) == 0 && mkfifo(pipe, 0o600) == 0)

    let database = try fixture.open(.files)
    #expect(database.owners(of: "/usr/lib", consultingFirst: ["linux"]) == ["linux"])
    #expect(database.entries(matching: "usr/*", in: ["linux"]).count == 2)
    #expect(try database.files(of: "linux").count == 2)
    #expect(database.package(named: "linux") != nil)
  }

  /// What stands in the place of a file, and why it is not read.
  private static let unusable = [
    ("pipe", "it is a pipe, a socket or a device, not a file"),
    ("huge", "it is too large: more than 65536 KiB"),
  ]

  private func put(_ what: String, at path: FilePath) throws {
    unlink(path.string)
    if what == "pipe" {
      try #require(mkfifo(path.string, 0o600) == 0)
    } else {
      try #require(FileManager.default.createFile(atPath: path.string, contents: nil))
      try #require(truncate(path.string, 100 << 30) == 0)
    }
  }

  @Test(
    "A list that is a pipe or too large is neither waited for nor taken in",
    arguments: [LocalDatabase.Source.automatic, .files], unusable)
  func unusableList(_ source: LocalDatabase.Source, _ bad: (what: String, reason: String)) throws {
    let fixture = try TemporaryDatabase()
    try fixture.add(FixturePackage(name: "bad", files: ["usr/"]))
    try fixture.add(FixturePackage(name: "good", files: ["usr/", "usr/good"]))
    let list = fixture.root.appending(fixture.entry("bad-1.0-1", "files"))
    try put(bad.what, at: list)
    let database = try fixture.open(source)
    #expect(database.owners(of: "usr") == ["good"])
    #expect(database.entries(matching: "usr/*").map(\.package) == ["good", "good"])
    do throws(AlpmError) {
      _ = try database.files(of: "bad")
      Issue.record("it was readable")
    } catch {
      #expect(error.description == "cannot read the file list of bad: \(list): \(bad.reason)")
    }
    try put(bad.what, at: fixture.root.appending(fixture.entry("bad-1.0-1", "desc")))
    #expect(database.packages().map(\.name) == ["bad", "good"])
    #expect(try fixture.open(source).package(named: "bad")?.buildDate == 0)
  }

  @Test("Where pacman.conf cannot be read nobody knows the database", arguments: ["pipe", "huge"])
  func unusableConfiguration(_ what: String) throws {
    let fixture = try TemporaryDatabase()
    let conf = fixture.root.appending("etc/pacman.conf")
    try FileManager.default.createDirectory(
      atPath: conf.removingLastComponent().string, withIntermediateDirectories: true)
    try put(what, at: conf)
    let error = #expect(throws: AlpmError.self) {
      _ = try LocalDatabase(root: fixture.root, databasePath: nil, source: .files, sonames: [])
    }
    #expect(error?.description.contains("\(conf): it is") == true, "\(String(describing: error))")
  }

  private func expectUnreadable(
    _ package: String, _ reason: AlpmError.Reason, in database: borrowing LocalDatabase
  ) throws {
    do throws(AlpmError) {
      _ = try database.files(of: package)
      Issue.record("\(package) was readable")
    } catch {
      #expect(error == AlpmError(.readFileList, package, reason))
    }
  }
}

extension AlpmError.Reason {
  fileprivate var isLibraryMissing: Bool {
    if case .noLibrary = self { true } else { false }
  }
}
