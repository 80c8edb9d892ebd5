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
    try run("/usr/bin/bsdtar", "-cf", package, "-C", "\(fixture.root)/package", ".PKGINFO", "etc", "usr")
    try run(
      "/usr/bin/pacman", "-U", "--noconfirm", "--dbonly", "--root", fixture.root.string,
      "--dbpath", fixture.databasePath.string, "--config", "\(fixture.root)/pacman.conf",
      "--logfile", "\(fixture.root)/pacman.log", "--cachedir", fixture.root.string,
      "--hookdir", "\(fixture.root)/hooks", package)

    let expected = LargeSystem.tree(["dkms.conf", "größe.c"], under: "usr/src/tiny-1.0/")
    for source in [LocalDatabase.Source.library, .files] {
      let database = try fixture.open(source)
      #expect(
        database.packages() == [InstalledPackage(name: "tiny-dkms", version: "1:1.0-2")])
      #expect(try database.files(of: "tiny-dkms") == ["etc/", "etc/tiny.conf"] + expected)
      #expect(database.owners(of: "/usr/src/tiny-1.0") == ["tiny-dkms"])
    }
  }

  private func run(_ program: String, _ arguments: String...) throws {
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
