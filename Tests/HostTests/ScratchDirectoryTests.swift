// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@Suite struct ScratchDirectoryTests {
  private let directory: TemporaryDirectory
  private var parent: FilePath { directory.path }

  init() throws { directory = try TemporaryDirectory() }

  /// What a killed call leaves: a directory that nobody has locked.
  private func abandon() throws -> FilePath {
    let used = try ScratchDirectory(in: parent)
    let name = String(used.path.lastComponent?.string.dropLast(3) ?? "")
    used.discard()
    try directory.write("half", to: "\(name)Old/tarball/file")
    let path = parent.appending("\(name)Old")
    chmod(path.string, 0o700)
    return path
  }

  @Test func itGoesWithItsUser() throws {
    let used = try ScratchDirectory(in: parent)
    try Files.write([], to: used.path.appending("file"))
    #expect(Disk.list(parent).count == 1)
    used.discard()
    #expect(Disk.list(parent).isEmpty)
    #expect(throws: HostError.self) { _ = try ScratchDirectory(in: parent.appending("nothing")) }
  }

  @Test func whatAKilledCallLeftIsSweptAndWhatIsInUseStays() throws {
    let used = try ScratchDirectory(in: parent)
    let abandoned = try abandon()
    #expect(try ScratchDirectory.abandoned(in: parent) == [abandoned])
    try ScratchDirectory.sweep(parent)
    #expect(Disk.list(parent).map(parent.appending) == [used.path])
    used.discard()
  }

  @Test func whatOthersMayChangeAndWhatHasAnotherNameStays() throws {
    let open = try abandon()
    chmod(open.string, 0o755)
    let link = parent.appending("\(open.lastComponent?.string.dropLast(3) ?? "")Lnk")
    try directory.write("precious", to: "mine/file")
    chmod(parent.appending("mine").string, 0o700)
    try Files.link(link, to: parent.appending("mine"))
    let before = directory.listing()
    try ScratchDirectory.sweep(parent)
    #expect(directory.listing() == before)
    #expect(try ScratchDirectory.abandoned(in: parent).isEmpty)
  }
}
