// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import Host
import SystemPackage
import TestSupport
import Testing

/// What must not be unpacked is refused by its name, and nothing is written.
///
/// One at a time: each keeps one of the few threads busy that all tests share.
@Suite(.requiresLibarchive, .serialized) struct HostileArchiveTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let entries: [ArchiveEntry]
    let culprit: FilePath
    let refusal: Refusal

    init(
      _ description: String, _ entries: [ArchiveEntry], _ culprit: FilePath, _ refusal: Refusal
    ) {
      testDescription = description
      self.entries = entries
      self.culprit = culprit
      self.refusal = refusal
    }
  }

  static let cases: [Case] = [
    Case("an absolute path", [.file("/tmp/alpm-dkms-hostile")], "/tmp/alpm-dkms-hostile", .absolutePath),
    Case("a path that goes up", [.file("a/../../evil")], "a/../../evil", .parentDirectory),
    Case("the directory above", [.directory("..")], "..", .parentDirectory),
    Case("the same, hidden", [.file("./a/./../../evil")], "./a/./../../evil", .parentDirectory),
    Case("a control character", [.file("a\u{1B}[2J")], "a\u{1B}[2J", .controlCharacter),
    Case("a line end", [.file("a\nb")], "a\nb", .controlCharacter),
    Case(
      "a long name", [.file(FilePath(String(repeating: "x", count: 256)))],
      FilePath(String(repeating: "x", count: 256)), .tooLong),
    Case(
      "a long path", [.file(FilePath(String(repeating: "x/", count: 1500) + "y"))],
      FilePath(String(repeating: "x/", count: 1500) + "y"), .tooLong),
    Case(
      "a file below a link of the archive's own", [.symlink("a", "b"), .file("a/evil")], "a/evil",
      .belowNoDirectory("a")),
    Case(
      "the same deeper, the link leads out", [.symlink("a", "/etc"), .file("a/b/evil")], "a",
      .leadsOut(target: "/etc")),
    Case("below a file", [.file("a"), .file("a/b")], "a/b", .belowNoDirectory("a")),
    Case("a directory that becomes a link", [.file("a/b"), .symlink("a", ".")], "a", .twoKinds),
    Case("a link that becomes a directory", [.symlink("a", "."), .directory("a")], "a", .twoKinds),
    Case("a link that becomes a file", [.symlink("a", "b"), .file("a")], "a", .twoKinds),
    Case("an absolute link", [.symlink("a", "/etc/passwd")], "a", .leadsOut(target: "/etc/passwd")),
    Case("a link to nothing", [.symlink("a", "")], "a", .leadsOut(target: "")),
    Case("a link that leads out", [.symlink("d/a", "../../x")], "d/a", .leadsOut(target: "../../x")),
    Case("the same in a detour", [.symlink("d/a", "b/../../../x")], "d/a", .leadsOut(target: "b/../../../x")),
    Case(
      "out by way of another link", [.directory("e"), .symlink("d/up", "../e"), .symlink("x", "d/up/../..")],
      "x", .leadsOut(target: "d/up/../..")),
    Case(
      "out by way of a later link", [.symlink("x", "d/up/../.."), .symlink("d/up", "../e"), .directory("e")],
      "x", .leadsOut(target: "d/up/../..")),
    Case("a link to itself", [.symlink("a", "a")], "a", .circular(target: "a")),
    Case(
      "another name of a file outside", [.hardlink("a", "/etc/passwd")], "a",
      .noSuchFile(target: "/etc/passwd")),
    Case("the same, upwards", [.hardlink("a", "../x")], "a", .parentDirectory),
    Case("another name of a link", [.symlink("l", "b"), .hardlink("a", "l")], "a", .noSuchFile(target: "l")),
    Case(
      "another name by way of a link", [.file("b/f"), .symlink("l", "b"), .hardlink("a", "l/f")], "a",
      .noSuchFile(target: "l/f")),
    Case("another name of a later file", [.hardlink("a", "b"), .file("b")], "a", .noSuchFile(target: "b")),
    Case("a pipe", [.pipe("a")], "a", .special),
  ]

  @Test(arguments: cases) func isRefused(_ hostile: Case) throws {
    let packing = try Packing()
    // What comes before the culprit is no reason to write anything.
    try packing.pack([(.file("innocent"), "text")] + hostile.entries.map { ($0, "") })
    let error = try #require(packing.refusal(of: packing.archive))
    #expect(error.reason == .refused(entry: hostile.culprit, hostile.refusal))
    #expect(!"\(error)".unicodeScalars.contains { $0.properties.generalCategory == .control })
    #expect(packing.refusalWhileUnpacking(packing.archive)?.reason == error.reason)
    #expect(Disk.kind("/tmp/alpm-dkms-hostile") == nil)
  }

  @Test func deviceOfARealTar() async throws {
    let packing = try Packing()
    try await packing.run("mkdir tree && mkfifo tree/pipe && tar -cf archive.tar tree")
    #expect(packing.refusal(of: packing.archive)?.reason == .refused(entry: "tree/pipe", .special))
  }

  @Test(.requiresTars) func linksOfARealTar() async throws {
    let packing = try Packing()
    try await packing.run(
      "mkdir tree && ln -s /etc/shadow tree/shadow && bsdtar --format=pax -cf archive.tar tree")
    #expect(
      packing.refusal(of: packing.archive)?.reason
        == .refused(entry: "tree/shadow", .leadsOut(target: "/etc/shadow")))
  }

  @Test(.requiresTars) func absolutePathsOfARealTar() async throws {
    let packing = try Packing()
    try await packing.run(#"echo text > file && tar -P -cf archive.tar "$PWD/file" && rm file"#)
    let path = packing.directory.path.appending("file")
    #expect(packing.refusal(of: packing.archive)?.reason == .refused(entry: path, .absolutePath))
    #expect(Disk.kind(path) == nil)
  }

  // MARK: Size

  @Test func tooManyEntries() throws {
    let packing = try Packing()
    try packing.pack((0..<11).map { (.file(FilePath("\($0)")), "") })
    var limits = UnpackLimits()
    limits.entries = 10
    #expect(
      packing.refusal(of: packing.archive, limits: limits)?.reason
        == .refused(entry: "10", .tooManyEntries(limit: 10)))
    limits.entries = 11
    #expect(packing.refusal(of: packing.archive, limits: limits) == nil)
  }

  @Test func directoriesThatPathsImplyCount() throws {
    let packing = try Packing()
    try packing.pack(.file("a/b/c/d/e/f"))
    var limits = UnpackLimits()
    limits.entries = 5
    #expect(
      packing.refusal(of: packing.archive, limits: limits)?.reason
        == .refused(entry: "a/b/c/d/e/f", .tooManyEntries(limit: 5)))
  }

  @Test func tooManyBytes() throws {
    let packing = try Packing()
    try packing.pack([
      (.file("a"), String(repeating: "x", count: 600)), (.file("b"), String(repeating: "y", count: 600)),
    ])
    var limits = UnpackLimits()
    limits.bytes = 1199
    #expect(
      packing.refusal(of: packing.archive, limits: limits)?.reason
        == .refused(entry: "b", .tooManyBytes(limit: 1199)))
    limits.bytes = 1200
    #expect(packing.refusal(of: packing.archive, limits: limits) == nil)
  }

  @Test(.requiresTars) func aBomb() async throws {
    let packing = try Packing()
    try await packing.run("truncate -s 64M zeroes && tar -czf archive.tar zeroes && rm zeroes")
    #expect(try Files.read(packing.archive).count < 100_000)
    var limits = UnpackLimits()
    limits.bytes = 1 << 20
    #expect(
      packing.refusal(of: packing.archive, limits: limits)?.reason
        == .refused(entry: "zeroes", .tooManyBytes(limit: 1 << 20)))
    #expect(packing.refusal(of: packing.archive) == nil)
  }

  /// A sparse file takes a few bytes of the archive and none of the announced size of it.
  @Test(.requiresTars) func aSparseBomb() async throws {
    let packing = try Packing()
    try await packing.run(
      "mkdir tree && truncate -s 3T tree/zeroes && tar -S -cf archive.tar tree && rm -r tree")
    let error = try #require(packing.refusal(of: packing.archive))
    #expect(error.reason == .refused(entry: "tree/zeroes", .tooManyBytes(limit: 2 << 30)))
  }

  // MARK: Damage

  @Test(arguments: ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"]) func truncated(_ suffix: String) throws
  {
    let packing = try Packing()
    var noise = SeededNumbers(seed: 7)
    let text = String(
      decoding: (0..<20_000).map { _ in UInt8.random(in: 32...126, using: &noise) }, as: UTF8.self)
    let whole = try packing.pack([(.file("a"), text), (.file("b"), text)], as: "whole.\(suffix)")
    let bytes = try Files.read(whole)
    let file = packing.directory.path.appending("part.\(suffix)")
    for length in [1, 100, 511, 513, bytes.count / 3, bytes.count / 2] {
      try Files.write(Array(bytes[..<length]), to: file)
      #expect(packing.refusal(of: file) != nil, "\(length) bytes")
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>) func noise(_ seed: UInt64) throws {
    let packing = try Packing()
    var noise = SeededNumbers(seed: seed)
    let count = Int.random(in: 1...5_000, using: &noise)
    try Files.write((0..<count).map { _ in UInt8.random(in: 0...255, using: &noise) }, to: packing.archive)
    #expect(packing.refusal(of: packing.archive) != nil)
  }

  /// Whatever becomes of it, it is no crash and nothing outside.
  @Test(arguments: 1...60 as ClosedRange<UInt64>) func flippedBytes(_ seed: UInt64) throws {
    let packing = try Packing()
    let suffix = ["tar", "tar.gz", "tar.xz", "tar.zst"][Int(seed % 4)]
    let file = try packing.pack(
      [
        (.directory("d"), ""), (.file("d/f"), "text"), (.symlink("d/l", "f"), ""),
        (.hardlink("h", "d/f"), ""),
        (.file(FilePath(String(repeating: "long/", count: 40) + "f")), "text"),
      ], as: "archive.\(suffix)")
    var bytes = try Files.read(file)
    var noise = SeededNumbers(seed: seed)
    for _ in 0..<Int.random(in: 1...30, using: &noise) {
      bytes[Int.random(in: bytes.indices, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
    }
    try Files.write(bytes, to: file)
    _ = packing.refusal(of: file)
    _ = packing.refusalWhileUnpacking(file)
    #expect(packing.listing.filter { !$0.hasPrefix("goal/") } == ["archive.\(suffix)"])
  }

  @Test func nothingAtAll() throws {
    let packing = try Packing()
    try Files.write([], to: packing.archive)
    #expect(packing.refusal(of: packing.archive) != nil)
    #expect(packing.refusal(of: "/nonexistent/archive.tar") != nil)
    #expect(packing.refusal(of: packing.goal) != nil)
  }
}
