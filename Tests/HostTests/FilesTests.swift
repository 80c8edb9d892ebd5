// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@Suite struct FilesTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path }

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: [Int.max, 100 << 30])
  func aHugeFileIsNotTakenIn(_ size: Int) throws {
    let directory = try TemporaryDirectory(in: TemporaryDirectory.memory)
    let file = try directory.write("", to: "huge")
    try #require(truncate(file.string, size) == 0)
    let error = #expect(throws: HostError.self) { _ = try Files.read(file) }
    #expect(error?.description == "cannot read \(file): it is too large: more than 262144 KiB")
    #expect(try Files.read(file, upTo: 10).count == 10)
  }

  @Test func treesAreEqualWhereEverythingInThemIs() throws {
    let directory = try TemporaryDirectory()
    for tree in ["a", "b"] {
      try directory.write("text", to: "\(tree)/below/file")
      try Files.link(directory.path.appending(tree).appending("link"), to: "below/file")
      #expect(mkfifo("\(directory.path)/\(tree)/pipe", 0o600) == 0)
    }
    let (left, right) = (directory.path.appending("a"), directory.path.appending("b"))
    #expect(try Files.haveEqualTrees(left, right))
    let changes: [(FilePath) throws -> Void] = [
      { try Files.write(Array("test".utf8), to: $0.appending("below").appending("file")) },
      { try Files.write([], to: $0.appending("below").appending("more")) },
      { try Files.link($0.appending("link"), to: "below") },
      { try Files.remove($0.appending("below")) },
      { chmod($0.appending("below").appending("file").string, 0o755) },
      { try Files.remove($0.appending("pipe")) },
    ]
    for change in changes {
      try change(right)
      #expect(try !Files.haveEqualTrees(left, right))
      #expect(try !Files.haveEqualTrees(right, left))
      try Files.remove(right)
      _ = try directory.write("text", to: "b/below/file")
      try Files.link(right.appending("link"), to: "below/file")
      #expect(mkfifo("\(right)/pipe", 0o600) == 0)
      #expect(try Files.haveEqualTrees(left, right))
    }
  }

  @Test func kinds() throws {
    try directory.write("", to: "file")
    try directory.write("", to: "directory/file")
    try Files.link(path.appending("link"), to: "directory")
    try Files.link(path.appending("dangling"), to: "nowhere")
    #expect(Disk.kind(path.appending("file")) == .file)
    #expect(Disk.kind(path.appending("directory")) == .directory)
    #expect(Disk.kind(path.appending("link")) == .link)
    #expect(Disk.kind(path.appending("dangling")) == .link)
    #expect(Disk.kind("/dev/null") == .other)
    #expect(Disk.kind(path.appending("nothing")) == nil)
    #expect(Disk.isDirectory(path.appending("link")))
    #expect(!Disk.isDirectory(path.appending("dangling")))
    #expect(!Disk.isDirectory(path.appending("file")))
    #expect(Disk.isFile(path.appending("file")))
    #expect(!Disk.isFile(path.appending("link")))
  }

  @Test func executableIsAFileWithThatPermission() throws {
    let script = path.appending("script")
    try Files.write([], to: script)
    #expect(!Disk.isExecutable(script))
    try Files.write([], to: script, permissions: [.ownerReadWriteExecute])
    #expect(Disk.isExecutable(script))
    #expect(!Disk.isExecutable(path))
    #expect(!Disk.isExecutable(path.appending("nothing")))
  }

  @Test func namesAreSortedAsBytes() throws {
    for name in ["b", "a", "B", "_", "ä", "10", "9", ".hidden", "a.b", "a-b"] {
      try directory.write("", to: name)
    }
    #expect(Disk.list(path) == [".hidden", "10", "9", "B", "_", "a", "a-b", "a.b", "b", "ä"])
  }

  @Test func nothingIsListedWhereThereIsNoDirectory() throws {
    #expect(Disk.list(path.appending("nothing")).isEmpty)
    #expect(Disk.list(try directory.write("", to: "file")).isEmpty)
  }

  @Test func linksAreReadAndResolved() throws {
    try directory.write("", to: "a/file")
    try Files.link(path.appending("one"), to: "a/file")
    try Files.link(path.appending("two"), to: path.appending("one"))
    try Files.link(path.appending("dangling"), to: "../nowhere")
    #expect(Disk.linkTarget(path.appending("one")) == "a/file")
    #expect(Disk.linkTarget(path.appending("two")) == path.appending("one"))
    #expect(Disk.linkTarget(path.appending("dangling")) == "../nowhere")
    #expect(Disk.linkTarget(path.appending("a")) == nil)
    #expect(Disk.resolved(path.appending("two")) == Disk.resolved(path.appending("a/file")))
    #expect(Disk.resolved(path.appending("dangling")) == nil)
  }

  @Test(arguments: [
    ("text", "text"), (" \t text \n\n", "text"), ("two\nlines\n", "two\nlines"), ("", ""), (" \n", ""),
  ])
  func textIsWithoutSpaceAroundIt(_ written: String, _ read: String) throws {
    #expect(Disk.text(try directory.write(written, to: "file")) == read)
  }

  @Test func thereIsNoTextOfAMissingFile() {
    #expect(Disk.text(path.appending("nothing")) == nil)
  }

  @Test func readingAMissingFileIsAnError() throws {
    let error = try #require(throws: HostError.self) { try Files.read(path.appending("nothing")) }
    #expect(error == HostError("read", path.appending("nothing"), .noSuchFileOrDirectory))
    #expect(error.description == "cannot read \(path)/nothing: No such file or directory")
  }

  @Test func laterChangeIsNewer() async throws {
    let old = try directory.write("", to: "old")
    // The clock of a file system ticks a few hundred times a second.
    let isLater = try await eventually {
      (try? Files.write([], to: path.appending("new"))) != nil
        && (try? Files.isNewer(path.appending("new"), than: old)) == true
    }
    #expect(isLater)
    #expect(try !Files.isNewer(old, than: path.appending("new")))
    #expect(try !Files.isNewer(old, than: old))
    #expect(try !Files.isNewer(old, than: path.appending("nothing")))
    #expect(try !Files.isNewer(path.appending("nothing"), than: old))
  }

  @Test func contentsAreCompared() throws {
    let one = try directory.write("same", to: "one")
    let two = try directory.write("same", to: "two")
    let other = try directory.write("Same", to: "other")
    let longer = try directory.write("same!", to: "longer")
    try Files.link(path.appending("link"), to: "one")
    #expect(try Files.haveEqualContents(one, two))
    #expect(try Files.haveEqualContents(path.appending("link"), two))
    #expect(try !Files.haveEqualContents(one, other))
    #expect(try !Files.haveEqualContents(one, longer))
    #expect(try !Files.haveEqualContents(one, path.appending("nothing")))
    #expect(try !Files.haveEqualContents(path.appending("nothing"), path.appending("nothing")))
  }

  @Test func stagingNameIsNoModule() {
    let staged = Files.stagingPath(for: "/lib/modules/K/updates/dkms/hello.ko")
    #expect(staged.removingLastComponent() == "/lib/modules/K/updates/dkms")
    let name = staged.lastComponent?.string ?? ""
    #expect(name.hasPrefix(".") && name.contains("hello.ko"))
    #expect(name.hasSuffix(Files.stagingSuffix))
    #expect(![".ko", ".ko.xz", ".ko.gz", ".ko.zst"].contains(where: name.hasSuffix))
  }
}
