// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import Pacman

@Suite("libalpm and the files give equal answers", .requiresLibalpm)
struct SourceAgreementTests {
  @Test("about every package and file list of a large system")
  func packagesAndFileLists() throws {
    let fixture = try LargeSystem.database()
    let library = try fixture.open(.library)
    let files = try fixture.open(.files)

    let packages = library.packages()
    #expect(packages.count == LargeSystem.packageCount)
    #expect(packages == files.packages())

    for expected in LargeSystem.packages {
      #expect(try library.files(of: expected.name) == expected.files)
      #expect(try files.files(of: expected.name) == expected.files)

      let found = files.package(named: expected.name)
      let package = try #require(found)
      #expect(package == library.package(named: expected.name))
      #expect(package.version == expected.version)
    }
  }

  @Test("about owners, whatever the spelling and the hints")
  func owners() throws {
    let fixture = try LargeSystem.database()
    let library = try fixture.open(.library)
    let files = try fixture.open(.files)
    let kernel = "usr/lib/modules/\(LargeSystem.kernelRelease)"
    let both = ["linux", "linux-headers"]
    let questions: [(path: String, hints: [String], owners: [String])] = [
      (kernel, [], both),
      (kernel + "/", [], both),
      ("/" + kernel, [], both),
      ("//\(kernel)//", [], both),
      (kernel, both.reversed(), both),
      (kernel, ["linux-headers", "absent", "linux-headers"], ["linux-headers"]),
      (kernel, ["foo-dkms"], both),
      (kernel + "/vmlinuz", [], ["linux"]),
      (kernel + "/vmlinuz/", [], []),
      (kernel + "/vmlinu", [], []),
      (kernel + "/build/include", ["linux"], ["linux-headers"]),
      ("usr/share/naïve/日本語/ファイル", [], ["naïve-names"]),
      ("usr/share/naïve/%FILES%", [], ["naïve-names"]),
      ("etc/naive.conf", [], []),
      ("usr/bin/no-base", [], ["no-base"]),
      ("", [], []), ("/", [], []), ("usr/\nusr/bin", [], []), ("usr\0", [], []),
    ]
    let narrow = try fixture.open(.automatic)
    for question in questions {
      #expect(files.owners(of: question.path, consultingFirst: question.hints) == question.owners)
      #expect(library.owners(of: question.path, consultingFirst: question.hints) == question.owners)
      #expect(narrow.owners(of: question.path, consultingFirst: question.hints) == question.owners)
    }
    #expect(narrow.libraryFailure == nil)
    #expect(library.owners(of: "usr").count == LargeSystem.packageCount - 2)
    #expect(library.owners(of: "usr") == files.owners(of: "usr"))
  }

  @Test("about patterns, in some packages and in all")
  func patterns() throws {
    let fixture = try LargeSystem.database()
    let library = try fixture.open(.library)
    let files = try fixture.open(.files)
    let automatic = try fixture.open(.automatic)
    let counts: [String: Int?] = [
      "usr/lib/modules/*/vmlinuz": 1, "usr/src/*/dkms.conf": 2, "usr/src/*": 7, "etc/*": 0, "/usr/*": 0,
      "usr/lib/modules/*/build/include/": 1, "usr/share/na*ve/[[]brackets]": 1, "usr/share/*/日*": 2,
      "usr/share/*/back\\\\slash": 1, "usr/share/naïve/emoji ?": nil, "*": nil, "*/d1?/*name-1*.txt": nil,
      "usr": 0, "": 0, "[": 0,
    ]
    for (pattern, count) in counts {
      let entries = files.entries(matching: pattern)
      #expect(entries == library.entries(matching: pattern))
      #expect(entries == automatic.entries(matching: pattern))
      if let count { #expect(entries.count == count, "\(pattern)") }

      let some = ["naïve-names", "linux", "absent", "linux"]
      let narrow = files.entries(matching: pattern, in: some)
      #expect(narrow == library.entries(matching: pattern, in: some))
      #expect(narrow == entries.filter { some.contains($0.package) })
    }
  }

  @Test("while pacman's lock is held, and change nothing")
  func lockedDatabase() throws {
    let fixture = try TemporaryDatabase()
    for package in LargeSystem.packages.prefix(7) { try fixture.add(package) }
    try fixture.write("", to: "var/lib/pacman/db.lck")
    let before = try fixture.snapshot()
    for source in [LocalDatabase.Source.library, .files] {
      let database = try fixture.open(source)
      #expect(database.packages().count == 7)
      #expect(database.owners(of: "usr/bin/no-base") == ["no-base"])
    }
    #expect(try fixture.snapshot() == before)
  }

  @Test("about lists that are not in order")
  func unsortedList() throws {
    let fixture = try TemporaryDatabase()
    try fixture.add(
      FixturePackage(name: "mixed", files: ["usr/b", "usr/", "usr/a", "usr/a/", "usr/é", "usr/Z"]))
    let library = try fixture.open(.library)
    let files = try fixture.open(.files)
    #expect(try files.files(of: "mixed") == ["usr/", "usr/Z", "usr/a", "usr/a/", "usr/b", "usr/é"])
    #expect(try files.files(of: "mixed") == library.files(of: "mixed"))
    #expect(files.entries(matching: "*") == library.entries(matching: "*"))
  }
}
