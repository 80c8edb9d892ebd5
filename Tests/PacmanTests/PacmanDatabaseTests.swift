// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Pacman

@Suite("A database that pacman wrote", .requiresPacmanAsRoot, .requiresLibalpm)
struct PacmanDatabaseTests {
  @Test("reads the same from both sources")
  func written() throws {
    let fixture = try TemporaryDatabase(version: nil)
    try FileManager.default.createDirectory(
      atPath: fixture.databasePath.string, withIntermediateDirectories: true)
    try fixture.write("[options]\nArchitecture = auto\nSigLevel = Never\n", to: "pacman.conf")
    try fixture.write(
      "pkgname = tiny-dkms\npkgbase = tiny\npkgver = 1:1.0-2\npkgdesc = Ein Märchen\narch = any\nsize = 4\n"
        + "backup = etc/tiny.conf\n",
      to: "package/.PKGINFO")
    for file in ["usr/src/tiny-1.0/dkms.conf", "usr/src/tiny-1.0/größe.c", "etc/tiny.conf"] {
      try fixture.write("text", to: "package/\(file)")
    }
    let package = fixture.root.appending("tiny-dkms-1:1.0-2-any.pkg.tar").string
    try run("/usr/bin/bsdtar", ["-cf", package, "-C", "\(fixture.root)/package", ".PKGINFO", "etc", "usr"])
    try pacman("-U", "--dbonly", package, of: fixture)

    let expected = LargeSystem.tree(["dkms.conf", "größe.c"], under: "usr/src/tiny-1.0/")
    for source in [LocalDatabase.Source.library, .files] {
      let database = try fixture.open(source)
      let date = database.package(named: "tiny-dkms")?.installDate ?? 0
      #expect(date > 1_700_000_000)
      #expect(
        database.packages() == [InstalledPackage(name: "tiny-dkms", version: "1:1.0-2", installDate: date)])
      #expect(try database.files(of: "tiny-dkms") == ["etc/", "etc/tiny.conf"] + expected)
      #expect(database.owners(of: "/usr/src/tiny-1.0") == ["tiny-dkms"])
    }
  }

  /// Runs pacman on a root of its own.
  private func pacman(_ words: String..., of fixture: TemporaryDatabase) throws {
    let places = [
      "--root", fixture.root.string, "--dbpath", fixture.databasePath.string,
      "--config", "\(fixture.root)/pacman.conf", "--logfile", "\(fixture.root)/pacman.log",
      "--cachedir", fixture.root.string, "--hookdir", "\(fixture.root)/hooks",
    ]
    try run("/usr/bin/pacman", [words[0], "--noconfirm"] + places + words.dropFirst())
  }

  @Test(
    "has a damaged file list again after the remedy",
    arguments: ["missing", "empty", "cut", "zeros"], [true, false])
  func repaired(_ how: String, _ isCached: Bool) throws {
    let fixture = try TemporaryDatabase(version: nil)
    try FileManager.default.createDirectory(
      atPath: fixture.databasePath.string, withIntermediateDirectories: true)
    try fixture.write("[options]\nArchitecture = auto\nSigLevel = Never\n", to: "pacman.conf")
    try fixture.write(
      "pkgname = tiny\npkgbase = tiny\npkgver = 1.0-2\npkgdesc = x\narch = any\nsize = 4\n",
      to: "package/.PKGINFO")
    try fixture.write("text", to: "package/usr/lib/modules/6.1.0/vmlinuz")
    let package = fixture.root.appending("tiny-1.0-2-any.pkg.tar").string
    try run("/usr/bin/bsdtar", ["-cf", package, "-C", "\(fixture.root)/package", ".PKGINFO", "usr"])
    try pacman("-U", package, of: fixture)
    let whole = try fixture.open(.files).files(of: "tiny")
    #expect(try fixture.open(.files).damagedFileLists() == [])

    let list = fixture.root.appending(fixture.entry("tiny-1.0-2", "files")).string
    let bytes = try #require(FileManager.default.contents(atPath: list))
    switch how {
    case "missing": try FileManager.default.removeItem(atPath: list)
    case "empty": try fixture.write("", to: fixture.entry("tiny-1.0-2", "files"))
    case "cut": try fixture.write(bytes.dropLast(5), to: fixture.entry("tiny-1.0-2", "files"))
    default: try fixture.write(Data(count: bytes.count), to: fixture.entry("tiny-1.0-2", "files"))
    }
    let damaged = try #require(try fixture.open(.files).damagedFileLists().first)
    #expect(damaged.package.name == "tiny")

    // There is no repository here, so that the package comes from its file in either way.
    let remedy = damaged.remedy(caches: isCached ? [fixture.root] : [])
    let touch = how == "missing" ? "touch \(list) && " : ""
    #expect(
      remedy == touch
        + (isCached ? "pacman -U --dbonly \(package)" : "pacman -Syu --overwrite '*' tiny"))
    if how == "missing" { try run("/usr/bin/touch", [list]) }
    if isCached {
      try pacman("-U", "--dbonly", package, of: fixture)
    } else {
      try pacman("-U", "--overwrite", "*", package, of: fixture)
    }
    #expect(try fixture.open(.files).damagedFileLists() == [])
    #expect(try fixture.open(.files).files(of: "tiny") == whole)
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ["LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"]
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(program): \(text)")
  }
}
