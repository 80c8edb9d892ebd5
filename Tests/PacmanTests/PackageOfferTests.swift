// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

@testable import Pacman

/// What repositories have of a package, read from their lists as pacman downloads them.
@Suite(.requiresLibalpm)
struct PackageOfferTests {
  private let fixture: TemporaryDatabase

  init() throws {
    fixture = try TemporaryDatabase()
    try fixture.add(FixturePackage(name: "hello-dkms"))
  }

  /// Lays down the list of a repository.
  private func addRepository(_ name: String, _ packages: FixturePackage...) async throws {
    for package in packages { try fixture.write(package.desc, to: "lists/\(name)/\(package.entryName)/desc") }
    try fixture.write("", to: "var/lib/pacman/sync/.keep")
    let (list, directory) = ("\(fixture.databasePath)/sync/\(name).db", "\(fixture.root)/lists/\(name)")
    let names = packages.map(\.entryName)
    let run = try await Run.program("/usr/bin/bsdtar", ["-czf", list, "-C", directory] + names)
    try #require(run.status == 0, "\(run)")
  }

  private var offer: PackageOffer {
    LocalDatabase.offer(of: "hello-dkms", installed: "1.0-1", root: fixture.root)
  }

  @Test func theNewestOfAllIsOffered() async throws {
    try await addRepository("core", FixturePackage(name: "hello-dkms", version: "1.10-1"))
    try await addRepository("extra", FixturePackage(name: "hello-dkms", version: "1.9-1"))
    #expect(offer == .newer(version: "1.10-1", repository: "core"))
  }

  @Test func whatIsInstalledIsTheNewest() async throws {
    try await addRepository("extra", FixturePackage(name: "hello-dkms", version: "1.0-1"))
    #expect(offer == .nothingNewer)
  }

  @Test func noRepositoryHasIt() async throws {
    try await addRepository("extra", FixturePackage(name: "other"))
    #expect(offer == .absent)
  }

  @Test func nobodyKnows() async throws {
    #expect(offer == .unknown)
    try await addRepository("extra", FixturePackage(name: "other"))
    try fixture.write("no archive", to: "var/lib/pacman/sync/core.db")
    #expect(offer == .unknown)
    let none = LocalDatabase.offer(
      of: "hello-dkms", installed: "1.0-1", root: fixture.root, sonames: ["libnone.so.1"])
    #expect(none == .unknown)
  }
}
