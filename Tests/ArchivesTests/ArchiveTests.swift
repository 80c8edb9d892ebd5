// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// What is written can be read, here and by others.
///
/// One at a time: each keeps one of the few threads busy that all tests share.
@Suite(.requiresLibarchive, .serialized) struct ArchiveTests {
  static let suffixes = ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz", "tar.zst"]
  /// Longer than the oldest format has room for.
  private static let longPath = FilePath(
    String(repeating: String(repeating: "directory", count: 7) + "/", count: 5) + "file")

  private static let entries: [(ArchiveEntry, String)] = [
    (.directory("tree"), ""),
    (.file("tree/script", 0o755), "#!/bin/sh\n"),
    (.file("tree/empty"), ""),
    (.file("tree/naïve ☃"), "text"),
    (.symlink("tree/link", "script"), ""),
    (.symlink("tree/dangling", "nothing/here"), ""),
    (.hardlink("tree/again", "tree/script"), ""),
    (.file(longPath), String(repeating: "long ", count: 50_000)),
  ]

  @Test(arguments: suffixes) func roundTrip(_ suffix: String) throws {
    let packing = try Packing()
    let archive = try packing.pack(Self.entries, as: "archive.\(suffix)")
    #expect(packing.refusal(of: archive) == nil)
    try ArchiveUnpacker().unpack(archive, into: packing.goal)
    try checkUnpacked(packing)
  }

  private func checkUnpacked(_ packing: Packing) throws {
    let tree = packing.goal.appending("tree")
    #expect(
      TemporaryDirectory.listing(of: tree) == [
        "again", "dangling -> nothing/here", "empty", "link -> script", "naïve ☃", "script",
      ])
    #expect(Disk.text(tree.appending("naïve ☃")) == "text")
    #expect(try Files.read(packing.goal.appending(Self.longPath.components)).count == 250_000)
    #expect(try status(tree.appending("script")).st_mode & 0o7777 == 0o755)
    #expect(try status(tree.appending("empty")).st_mode & 0o7777 == 0o644)
    #expect(try status(tree.appending("again")).st_ino == status(tree.appending("script")).st_ino)
    #expect(try status(tree.appending("empty")).st_mtim.tv_sec == 1_600_000_000)
  }

  @Test(.requiresTars, arguments: suffixes) func gnuTarReadsOurs(_ suffix: String) async throws {
    let packing = try Packing()
    try packing.pack(Self.entries, as: "archive.\(suffix)")
    try await packing.run("tar -C goal -xaf archive.\(suffix)")
    try checkUnpacked(packing)
  }

  @Test(
    .requiresTars,
    arguments: [
      "tar -cf", "tar --format=pax -cf", "tar -czf", "tar --zstd -cf", "bsdtar --format=pax -cf",
      "bsdtar --format=newc -cf", "bsdtar --format=ustar --lz4 -cf", "bsdtar --lzma -cf", "bsdtar --lzip -cf",
    ])
  func readsTheirs(_ command: String) async throws {
    let packing = try Packing()
    let isUstar = command.contains("ustar")
    let entries = isUstar ? Self.entries.filter { $0.0.path != Self.longPath } : Self.entries
    try packing.pack(entries, as: "ours.tar")
    try await packing.run(
      "mkdir theirs && tar -C theirs -xf ours.tar && LC_ALL=C.UTF-8 \(command) archive.tar -C theirs .")
    #expect(packing.refusal(of: packing.archive) == nil)
    try ArchiveUnpacker().unpack(packing.archive, into: packing.goal)
    if isUstar {
      try packing.directory.write(String(repeating: "long ", count: 50_000), to: "goal/\(Self.longPath)")
    }
    try checkUnpacked(packing)
  }

  @Test(arguments: suffixes) func sameTreeSameBytes(_ suffix: String) throws {
    let packing = try Packing()
    for name in ["b", "a", "c/d"] { try packing.directory.write(name, to: "tree/\(name)") }
    try Files.link(packing.directory.path.appending("tree/link"), to: "a")
    let archives = try ["one.\(suffix)", "two.\(suffix)"].map { name in
      let archive = packing.directory.path.appending(name)
      var writer = try ArchiveWriter(creating: archive, compression: ArchiveCompression(forFile: archive))
      try writer.addTree(packing.directory.path.appending("tree"), as: "top", excluding: ["b"])
      try writer.finish()
      return archive
    }
    let bytes = try Files.read(archives[0])
    #expect(try bytes == Files.read(archives[1]))
    // gzip has room for the time of writing.
    if suffix == "tar.gz" { #expect(bytes[4..<8] == [0, 0, 0, 0]) }
    var reader = try ArchiveReader(archives[0])
    var paths: [FilePath] = []
    while let entry = try reader.next() { paths.append(entry.path) }
    #expect(paths == ["top", "top/a", "top/c", "top/c/d", "top/link"])
  }

  @Test(.requiresTars) func ownersAreNotRecorded() async throws {
    let packing = try Packing()
    let file = try packing.directory.write("text", to: "tree/a")
    chown(file.string, 1234, 1234)
    var writer = try ArchiveWriter(creating: packing.archive, compression: .none)
    try writer.addTree(packing.directory.path.appending("tree"), as: "top")
    try writer.finish()
    let run = try await Run.program("/usr/bin/tar", ["-tvf", packing.archive.string])
    #expect(run.lines.count == 2)
    for line in run.lines { #expect(line.contains(" 0/0 ")) }
  }

  @Test func permissionsOfUnpackedFiles() throws {
    let packing = try Packing()
    try packing.pack(
      .file("setuid", 0o6755), .file("sticky", 0o1755), .file("unwritable", 0o444), .file("everyone", 0o777),
      .file("secret", 0o600), .directory("closed", 0o000), .file("closed/file", 0o000))
    try ArchiveUnpacker().unpack(packing.archive, into: packing.goal)
    let modes = try ["setuid", "sticky", "unwritable", "everyone", "secret", "closed", "closed/file"].map {
      try status(packing.goal.appending(FilePath($0).components)).st_mode & 0o7777
    }
    #expect(modes == [0o755, 0o755, 0o644, 0o755, 0o600, 0o755, 0o600])
  }

  @Test func theLastOfTwoFilesStays() throws {
    let packing = try Packing()
    try packing.pack([(.file("a"), "first"), (.hardlink("b", "a"), ""), (.file("a"), "second")])
    try ArchiveUnpacker().unpack(packing.archive, into: packing.goal)
    #expect(Disk.text(packing.goal.appending("a")) == "second")
    #expect(Disk.text(packing.goal.appending("b")) == "first")
  }

  @Test func theTopItselfIsADirectory() throws {
    let packing = try Packing()
    try packing.pack([(.directory("."), ""), (.file("./a"), "text"), (.directory("./b/"), "")])
    try ArchiveUnpacker().unpack(packing.archive, into: packing.goal)
    #expect(TemporaryDirectory.listing(of: packing.goal) == ["a", "b/"])
  }

  @Test func whatIsInside() throws {
    let packing = try Packing()
    try packing.pack(
      .file("z/conf"), .file("b/deep/conf"), .file("a/deeper/still/conf"), .symlink("y", "z"),
      .symlink("b/conf", "../z/conf"), .symlink("c/conf", "nothing"))
    let contents = try ArchiveUnpacker().contents(of: packing.archive)
    #expect(contents.files(named: "conf") == ["b/conf", "z/conf", "b/deep/conf", "a/deeper/still/conf"])
    #expect(
      contents.hasDirectory("b/deep") && !contents.hasDirectory("y") && !contents.hasDirectory("z/conf"))
    #expect(contents.hasFile("y/conf") && !contents.hasFile("c/conf") && !contents.hasFile("../z/conf"))
    #expect(contents.names(in: "").map(\.string) == ["a", "b", "c", "y", "z"])
    try contents.checkLinks(below: "c")
    let error = #expect(throws: ArchiveError.self) { try contents.checkLinks(below: "b") }
    #expect(error?.reason == .refused(entry: "b/conf", .leadsOut(target: "../z/conf")))
  }

  @Test(.requiresTars, arguments: ["tar --format=gnu", "tar --format=pax"])
  func namesThatAreNoText(_ command: String) async throws {
    let packing = try Packing()
    try await packing.run(
      #"n=$(printf 'caf\351') && mkdir -p "t/$n" && echo text > "t/$n/$n" && ln -s "$n" "t/$n/l" && \#(command) -cf archive.tar t && rm -r t"#
    )
    try ArchiveUnpacker().unpack(packing.archive, into: packing.goal)
    try await packing.run(
      #"n=$(printf 'caf\351') && cmp "goal/t/$n/$n" "goal/t/$n/l" && test -L "goal/t/$n/l""#)
    let again = packing.directory.path.appending("again.tar")
    var writer = try ArchiveWriter(creating: again, compression: .none)
    try writer.addTree(packing.goal.appending("t"), as: "t")
    try writer.finish()
    try await packing.run(
      "tar -tf archive.tar | sed 's,/$,,' | sort > a && tar -tf again.tar | sed 's,/$,,' | sort > b && cmp a b"
    )
  }

  @Test func aFileThatIsThereIsNotOverwritten() throws {
    let packing = try Packing()
    let file = try packing.directory.write("text", to: "archive.tar")
    let error = #expect(throws: ArchiveError.self) {
      _ = try ArchiveWriter(creating: file, compression: .none)
    }
    #expect(error?.reason == .system(.fileExists, file))
    #expect(Disk.text(file) == "text")
  }

  private func status(_ path: FilePath) throws -> stat {
    var status = stat()
    try #require(lstat(path.string, &status) == 0, "\(path)")
    return status
  }
}
