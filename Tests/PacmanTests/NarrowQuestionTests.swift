// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import Pacman

/// libalpm keeps every list that it is asked about, so it counts which those are.
@Suite("libalpm is asked about the packages in question alone")
struct NarrowQuestionTests {
  @Test func listsThatAreRead() throws {
    let fixture = try LargeSystem.database()
    let layout = try DatabaseLayout(databasePath: LocalDatabase.databasePath(root: fixture.root))
    let index = try FileReader(layout)
    let reader = RecordingReader(index)
    let database = LocalDatabase(layout, asking: reader, index: index)
    let kernel = "usr/lib/modules/\(LargeSystem.kernelRelease)"

    #expect(database.owners(of: "\(kernel)/", consultingFirst: ["linux"]) == ["linux"])
    #expect(reader.takeLists() == ["linux"])
    #expect(database.owners(of: "\(kernel)/vmlinuz") == ["linux"])
    #expect(reader.takeLists() == ["linux"])
    #expect(database.owners(of: "usr/src/nobody") == [])
    #expect(reader.takeLists() == [])
    #expect(database.entries(matching: "usr/src/*/dkms.conf").count == 2)
    #expect(reader.takeLists() == ["foo-dkms"])
    #expect(database.damagedFileLists().isEmpty && reader.takeLists() == [])

    let broad = LocalDatabase(layout, asking: reader, index: nil)
    #expect(broad.owners(of: "usr/src/nobody") == [])
    #expect(reader.takeLists().count == LargeSystem.packageCount)
  }

  @Test func itIsOpenedOnceAndForAQuestion() throws {
    let fixture = try TemporaryDatabase()
    try fixture.add(FixturePackage(name: "bash", files: ["usr/"]))
    let layout = try DatabaseLayout(databasePath: LocalDatabase.databasePath(root: fixture.root))
    var count = 0
    let session = ReaderSession(layout, try FileReader(layout)) { () throws(AlpmError) -> LibraryHandle in
      count += 1
      throw AlpmError(.open, "libalpm", .noDatabase)
    }
    #expect(session.names?.has("bash") == true && session.names?.has("zsh") == false)
    #expect(count == 0)
    #expect(session.reader.packageNames() == ["bash"] && session.index == nil)
    #expect(session.libraryFailure?.reason == .noDatabase && count == 1)
  }
}

/// Notes which packages' file lists are asked for.
private final class RecordingReader: DatabaseReader {
  private let reader: FileReader
  private var lists: Set<String> = []

  init(_ reader: FileReader) { self.reader = reader }

  func takeLists() -> Set<String> {
    defer { lists = [] }
    return lists
  }

  private func note(_ names: [String]?) { lists.formUnion(names ?? reader.packageNames()) }

  func packages() -> [InstalledPackage] { reader.packages() }
  func package(named name: String) -> InstalledPackage? { reader.package(named: name) }
  func packageNames() -> [String] { reader.packageNames() }

  func files(of name: String) -> [String]? {
    note([name])
    return reader.files(of: name)
  }

  func owners(of path: PathName, among names: [String]?) -> [String] {
    note(names)
    return reader.owners(of: path, among: names)
  }

  func entries(matching pattern: PathPattern, among names: [String]?) -> [OwnedPath] {
    note(names)
    return reader.entries(matching: pattern, among: names)
  }
}
