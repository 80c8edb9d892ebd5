// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@Suite struct FileChangesTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path }

  init() throws { directory = try TemporaryDirectory() }

  private func mode(_ path: FilePath) -> mode_t {
    var status = stat()
    return lstat(path.string, &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  // MARK: Writing

  @Test func aPipeOrDeviceIsNotReplaced() throws {
    let directory = try TemporaryDirectory()
    let goal = directory.path.appending("goal")
    try #require(mkfifo(goal.string, 0o600) == 0)
    let error = #expect(throws: HostError.self) { try Files.write([1], to: goal) }
    #expect(error == HostError("replace", goal, .notAFile(.other)))
    #expect(Disk.kind(goal) == .other && Disk.list(directory.path) == ["goal"])
  }

  @Test func writeReplacesTheFileAndNotItsContents() throws {
    let file = try directory.write("old", to: "file")
    #expect(Glibc.link(file.string, path.appending("other").string) == 0)
    try Files.write(Array("new".utf8), to: file)
    #expect(Disk.text(file) == "new")
    #expect(Disk.text(path.appending("other")) == "old")
    #expect(directory.listing() == ["file", "other"])
  }

  @Test func writeReplacesALinkAndNotItsTarget() throws {
    let target = try directory.write("old", to: "target")
    try Files.link(path.appending("link"), to: target)
    try Files.write(Array("new".utf8), to: path.appending("link"))
    #expect(Disk.kind(path.appending("link")) == .file)
    #expect(Disk.text(target) == "old")
  }

  @Test func permissionsAreTheOnesAskedFor() throws {
    let plain = path.appending("plain")
    try Files.write([], to: plain)
    #expect(mode(plain) == 0o644)
    try Files.write([], to: plain, permissions: [.ownerReadWrite])
    #expect(mode(plain) == 0o600)
    try Files.write(
      [], to: plain, permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    #expect(mode(plain) == 0o755)
  }

  @Test func whatAKilledRunHasStagedIsNotBuiltUpon() throws {
    let file = path.appending("file")
    let victim = try directory.write("victim", to: "victim")
    try Files.write(Array("half a fi".utf8), to: Files.stagingPath(for: file), permissions: [.ownerRead])
    try Files.write(Array("x".utf8), to: file)
    #expect(Disk.text(file) == "x")
    #expect(mode(file) == 0o644)
    #expect(symlink(victim.string, Files.stagingPath(for: file).string) == 0)
    try Files.write(Array("y".utf8), to: file)
    #expect(Disk.kind(file) == .file)
    #expect(Disk.text(victim) == "victim")
  }

  @Test func failedWriteLeavesWhatWasThere() throws {
    try directory.write("kept", to: "goal/file")
    #expect(throws: HostError.self) { try Files.write(Array("new".utf8), to: path.appending("goal")) }
    #expect(directory.listing() == ["goal/", "goal/file"])
    #expect(throws: HostError.self) { try Files.write([], to: path.appending("missing").appending("file")) }
    #expect(directory.listing() == ["goal/", "goal/file"])
  }

  @Test func copyHasTheBytesAndItsOwnPermissions() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let source = path.appending("source")
    try Files.write(bytes, to: source, permissions: [.ownerReadWrite])
    try Files.copy(source, to: path.appending("copy"))
    #expect(try Files.read(path.appending("copy")) == bytes)
    #expect(mode(path.appending("copy")) == 0o644)
    #expect(throws: HostError.self) {
      try Files.copy(path.appending("nothing"), to: path.appending("copy"))
    }
    #expect(try Files.read(path.appending("copy")) == bytes)
  }

  @Test func linkIsLedElsewhere() throws {
    let link = path.appending("link")
    try Files.link(link, to: "one")
    #expect(Disk.linkTarget(link) == "one")
    try Files.link(link, to: "two")
    #expect(Disk.linkTarget(link) == "two")
    #expect(directory.listing() == ["link -> two"])
    #expect(symlink("half", Files.stagingPath(for: link).string) == 0)
    try Files.link(link, to: "three")
    #expect(directory.listing() == ["link -> three"])
  }

  @Test func linkToADirectoryIsReplacedAndNotEntered() throws {
    try directory.write("", to: "one/file")
    try Files.link(path.appending("link"), to: "one")
    try Files.link(path.appending("link"), to: "two")
    #expect(directory.listing() == ["link -> two", "one/", "one/file"])
  }

  @Test func directoriesAreSwapped() throws {
    try directory.write("", to: "a/one")
    try directory.write("", to: "b/two")
    try Files.exchange(path.appending("a"), with: path.appending("b"))
    #expect(directory.listing() == ["a/", "a/two", "b/", "b/one"])
    #expect(throws: HostError.self) {
      try Files.exchange(path.appending("a"), with: path.appending("nothing"))
    }
    #expect(directory.listing() == ["a/", "a/two", "b/", "b/one"])
  }

  @Test(
    "A swap in three steps that was killed loses nothing of what was there",
    arguments: [
      (["new/a", ".goal.alpm-dkms-old/b"], ["goal/", "goal/b", "new/", "new/a"]),
      (["goal/a", ".goal.alpm-dkms-old/b"], ["goal/", "goal/a"]),
    ])
  func recovered(_ left: [String], _ expected: [String]) throws {
    for name in left { try directory.write("", to: name) }
    try Files.recover(path)
    #expect(directory.listing() == expected)
  }

  // MARK: File by file, where directories cannot be renamed

  /// Two directories that differ in every way.
  private func makeDifferent() throws {
    for name in ["goal/same", "goal/old", "goal/deep/old", "goal/was/a/directory"] {
      try directory.write("old", to: name)
    }
    for name in ["new/same", "new/new", "new/deep/new", "new/was"] { try directory.write("new", to: name) }
    try Files.link(path.appending("goal/link"), to: "old")
    try Files.link(path.appending("new/link"), to: "new")
    chmod(path.appending("new").string, 0o750)
  }

  private func contents(_ name: String) -> [String] {
    directory.listing(of: name).map { entry in
      "\(entry) \(Disk.kind(path.appending("\(name)/\(entry)")) == .file ? Disk.text(path.appending("\(name)/\(entry)")) ?? "" : "")"
    }
  }

  @Test func directoriesAreSwappedFileByFile() throws {
    try makeDifferent()
    let (old, new) = (contents("goal"), contents("new"))
    try Files.exchangeInPlace(path.appending("new"), with: path.appending("goal"))
    #expect(contents("goal") == new)
    #expect(contents("new") == old)
    #expect(mode(path.appending("goal")) == 0o750)
    #expect(Disk.list(path) == ["goal", "new"])
  }

  @Test(
    "A swap file by file that was killed in between leaves the old directory after recovery", arguments: 0...4
  )
  func recoveredFileByFile(_ files: Int) async throws {
    try makeDifferent()
    let old = contents("goal")
    // As far as a killed run came: it has kept a copy, and replaced or removed some of the files.
    let copy = try await Run.program("/bin/cp", ["-a", "\(path)/goal", "\(path)/.goal.alpm-dkms-kept"])
    try #require(copy.status == 0)
    let changes = ["same", "deep", "link", "was"]
    for name in changes.prefix(files) {
      try Files.remove(path.appending("goal/\(name)"))
      try Files.rename(path.appending("new/\(name)"), to: path.appending("goal/\(name)"))
    }
    #expect(Files.isAside(".goal.alpm-dkms-kept"))
    try Files.recover(path)
    #expect(contents("goal") == old)
    #expect(Disk.list(path) == ["goal", "new"])
  }

  @Test func aDirectoryIsDiscarded() throws {
    try directory.write("", to: "gone/sub/file")
    try directory.write("", to: ".doomed/stale")
    try Files.discard(path.appending("gone"), as: path.appending(".doomed"), last: "sub") {
      Issue.record("it could be moved")
    }
    #expect(directory.listing() == [])
    #expect(throws: HostError.self) {
      try Files.discard(path.appending("gone"), as: path.appending(".doomed"), last: "sub")
    }
  }

  @Test func aFileThatIsMovedKeepsItsPermissionsAndTimes() throws {
    let file = try directory.write("text", to: "a/file")
    try directory.write("old", to: "b/c/goal")
    let goal = path.appending("b/c/goal")
    chmod(file.string, 0o640)
    utimes(file.string, [timeval(tv_sec: 1000, tv_usec: 5), timeval(tv_sec: 2000, tv_usec: 7)])
    try Files.move(file, to: goal)
    #expect(directory.listing() == ["a/", "b/", "b/c/", "b/c/goal"])
    #expect(Disk.text(goal) == "text")
    #expect(mode(goal) == 0o640)
    #expect(Disk.modificationTime(goal) == 2000)
    #expect(throws: HostError.self) { try Files.move(file, to: goal) }
    #expect(Disk.text(goal) == "text")
  }

  // MARK: Directories

  @Test func directoriesAreMadeWithThoseAbove() throws {
    try Files.makeDirectories(path.appending("a/b/c"))
    try Files.makeDirectories(path.appending("a/b"))
    #expect(directory.listing() == ["a/", "a/b/", "a/b/c/"])
    #expect(mode(path.appending("a/b")) == 0o755)
  }

  @Test func aDirectoryMayComeAndGoWhileItIsMade() async throws {
    // Where nothing takes long, they meet.
    let directory = try TemporaryDirectory(in: TemporaryDirectory.memory)
    let path = directory.path.appending("a")
    let another = Task {
      while !Task.isCancelled {
        mkdir(path.string, 0o755)
        rmdir(path.string)
      }
    }
    let made = Result { for _ in 0..<100_000 { try Files.makeDirectories(path) } }
    another.cancel()
    await another.value
    try made.get()
  }

  @Test func noDirectoryIsMadeInTheWayOfAFile() throws {
    try directory.write("kept", to: "a")
    #expect(throws: HostError.self) { try Files.makeDirectories(path.appending("a/b")) }
    #expect(throws: HostError.self) { try Files.makeDirectories(path.appending("a")) }
    #expect(Disk.text(path.appending("a")) == "kept")
  }

  @Test func temporaryDirectoriesArePrivateAndDiffer() throws {
    let one = try Files.makeTemporaryDirectory(in: path, prefix: "one.")
    let two = try Files.makeTemporaryDirectory(in: path, prefix: "one.")
    #expect(one != two)
    #expect(mode(one) == 0o700)
    #expect(one.removingLastComponent() == path)
    #expect(throws: HostError.self) {
      try Files.makeTemporaryDirectory(in: path.appending("nothing"), prefix: "one.")
    }
  }

  @Test func removalTakesLinksAndNotWhereTheyLead() throws {
    try directory.write("kept", to: "kept/file")
    try directory.write("", to: "gone/sub/file")
    try Files.link(path.appending("gone/link"), to: path.appending("kept"))
    try Files.link(path.appending("gone/dangling"), to: "nowhere")
    try Files.remove(path.appending("gone"))
    #expect(directory.listing() == ["kept/", "kept/file"])
    try Files.link(path.appending("link"), to: "kept")
    try Files.remove(path.appending("link"))
    #expect(directory.listing() == ["kept/", "kept/file"])
    try Files.remove(path.appending("nothing"))
  }

  @Test func removalTakesNamesThatAreNotText() throws {
    try Files.makeDirectories(path.appending("gone"))
    let name = Array("\(path)/gone/caf".utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
    let descriptor = creat(name, 0o644)
    try #require(descriptor >= 0)
    close(descriptor)
    try Files.remove(path.appending("gone"))
    #expect(Disk.kind(path.appending("gone")) == nil)
  }

  @Test func emptyDirectoriesGoUpToTheLimit() throws {
    try Files.makeDirectories(path.appending("a/b/c"))
    Files.removeEmptyDirectories(from: path.appending("a/b/c"), upTo: path.appending("a"))
    #expect(directory.listing() == ["a/"])
    Files.removeEmptyDirectories(from: path.appending("a"), upTo: path.appending("a"))
    #expect(directory.listing() == ["a/"])
  }

  @Test func emptyDirectoriesGoUpToTheFirstThatIsNot() throws {
    try Files.makeDirectories(path.appending("a/b/c"))
    try directory.write("", to: "a/file")
    Files.removeEmptyDirectories(from: path.appending("a/b/c"), upTo: path)
    #expect(directory.listing() == ["a/", "a/file"])
  }

  @Test func directoriesOutsideTheLimitStay() throws {
    try Files.makeDirectories(path.appending("a/b"))
    try Files.makeDirectories(path.appending("limit"))
    Files.removeEmptyDirectories(from: path.appending("a/b"), upTo: path.appending("limit"))
    #expect(directory.listing() == ["a/", "a/b/", "limit/"])
  }
}
