// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// What a directory or a tarball is taken for, and what is refused.
@Suite struct ImportTests {
  private static let conf = """
    PACKAGE_NAME=text
    PACKAGE_VERSION=1.0
    BUILT_MODULE_NAME[0]=text
    DEST_MODULE_LOCATION[0]=/updates
    MAKE[0]="cp text text.ko"
    STRIP=no

    """

  /// Writes a tarball of files and links.
  @discardableResult
  private func tarball(
    _ files: KeyValuePairs<String, String>, links: [(FilePath, FilePath)] = [], in machine: TemporaryMachine
  ) throws -> FilePath {
    let file = machine.directory.path.appending("x.tar.gz")
    var writer = try ArchiveWriter(creating: file, compression: .gzip)
    for (name, text) in files {
      let isDirectory = name.hasSuffix("/")
      try writer.add(
        ArchiveEntry(FilePath(name), isDirectory ? .directory : .file, permissions: .everyoneReads),
        contents: Array(text.utf8))
    }
    for (path, target) in links {
      try writer.add(ArchiveEntry(path, .symlink(target: target), permissions: .everyoneReads))
    }
    try writer.finish()
    return file
  }

  /// What the import fails with, after which all is as it was.
  private func failure(_ machine: TemporaryMachine, _ path: FilePath, limits: UnpackLimits = UnpackLimits())
    async throws
    -> DKMSError?
  {
    let before = machine.directory.listing()
    let kernel = try machine.runningKernel()
    do throws(DKMSError) {
      try await machine.importer(limits).module(at: path, for: kernel).discard()
      return nil
    } catch {
      #expect(machine.directory.listing() == before)
      return error
    }
  }

  // MARK: Sources

  @Test func plainSourceTarball() async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(
      [
        "text-1.0/aaa/dkms.conf": "not this one", "text-1.0/dkms.conf": Self.conf, "text-1.0/text": "text",
        "text-1.0/sub/file": "below",
      ], links: [("text-1.0/sub/link", "../text")], in: machine)
    #expect(try await machine.load(file).failures.isEmpty)
    let id = try module("text", "1.0")
    #expect(machine.state[id]?.source == machine.layout.source(id).string)
    #expect(
      TemporaryDirectory.listing(of: machine.layout.source(id)) == [
        "aaa/", "aaa/dkms.conf", "dkms.conf", "sub/", "sub/file", "sub/link -> ../text", "text",
      ])
    // It is no tarball of builds, so the answer is that of `add`.
    #expect(try await machine.load(file).plan.obstacles == [.alreadyAdded(id)])
  }

  @Test(arguments: ["", "dkms.conf"]) func directory(_ name: String) async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    try machine.directory.write(Self.conf, to: "mine/dkms.conf")
    try machine.directory.write("text", to: "mine/.hidden/text")
    let script = try machine.directory.write("#!/bin/sh\n", to: "mine/script")
    chmod(script.string, 0o6777)
    let directory = machine.directory.path.appending("mine")
    #expect(try await machine.load(directory.appending(FilePath(name).components)).failures.isEmpty)
    #expect(machine.state[id]?.source == machine.layout.source(id).string)
    #expect(
      TemporaryDirectory.listing(of: machine.layout.source(id))
        == [".hidden/", ".hidden/text", "dkms.conf", "script"])
    var status = stat()
    try #require(stat(machine.layout.source(id).appending("script").string, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o755)
  }

  /// As with the reference.
  @Test(.requiresRoot) func whoseASourceWasItStays() async throws {
    let machine = try TemporaryMachine()
    let conf = try machine.directory.write(Self.conf, to: "mine/dkms.conf")
    try #require(chown(conf.string, 1234, 1234) == 0)
    #expect(try await machine.load(conf).failures.isEmpty)
    var status = stat()
    let copy = machine.layout.source(try module("text", "1.0")).appending("dkms.conf")
    try #require(stat(copy.string, &status) == 0)
    #expect(status.st_uid == 1234)
  }

  @Test func aSourceInItsPlaceIsNotCopied() async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    let source = try machine.addTextModule(id)
    let imported = try await machine.importer().module(at: source, for: machine.runningKernel())
    #expect(imported.id == id)
    #expect(imported.origin == nil)
    imported.discard()
    let before = machine.directory.listing(of: "src")
    #expect(try await machine.load(source).failures.isEmpty)
    #expect(machine.directory.listing(of: "src") == before)
    #expect(try await machine.load(source).plan.obstacles == [.alreadyAdded(id)])
    let kernel = try machine.addKernel("6.1.0-a")
    #expect(try await machine.install(source, kernel).failures.isEmpty)
    #expect(machine.installed("text.ko", kernel) == "text")
  }

  @Test func planOfADirectory() async throws {
    let machine = try TemporaryMachine()
    try machine.directory.write(Self.conf, to: "mine/dkms.conf")
    let directory = machine.directory.path.appending("mine")
    let kernel = try machine.addKernel("6.1.0-a")
    let module = try await machine.importer().module(at: directory, for: kernel)
    let facts = try await machine.facts([module.id], [kernel], origin: module.origin)
    let plan = Planner.install(module.id, for: [kernel], facts: facts, options: machine.options)
    let source = machine.layout.source(module.id)
    #expect(
      plan.lines == [
        "copy the source of text/1.0 from \(directory)", "add text/1.0 from \(source)",
        "build text/1.0 for 6.1.0-a", "install text/1.0 for 6.1.0-a", "depmod 6.1.0-a",
      ])
    #expect(plan.requires("build text/1.0 for 6.1.0-a", "copy the source of text/1.0 from \(directory)"))
    module.discard()
  }

  @Test func aChangedDirectoryIsTakenByForce() async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    try machine.directory.write(Self.conf, to: "mine/dkms.conf")
    try machine.directory.write("old", to: "mine/text")
    let directory = machine.directory.path.appending("mine")
    try await machine.load(directory)
    try machine.directory.write("new", to: "mine/text")
    #expect(try await machine.load(directory).plan.obstacles == [.alreadyAdded(id)])
    #expect(Disk.text(machine.layout.source(id).appending("text")) == "old")
    #expect(try await machine.forced.load(directory).failures.isEmpty)
    #expect(Disk.text(machine.layout.source(id).appending("text")) == "new")
    // What is built of it then is new too.
    let kernel = try machine.addKernel("6.1.0-a")
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try machine.directory.write("newer", to: "mine/text")
    #expect(try await machine.forced.install(directory, kernel).failures.isEmpty)
    #expect(machine.installed("text.ko", kernel) == "newer")
  }

  // MARK: What cannot be taken

  @Test func whatIsMissing() async throws {
    let machine = try TemporaryMachine()
    let nowhere = machine.directory.path.appending("nowhere")
    #expect(try await failure(machine, nowhere) == .tarballMissing(path: nowhere.string))
    let etc = machine.layout.configurationDirectory
    #expect(try await failure(machine, etc) == .sourceWithoutConfiguration(directory: etc.string))
    let empty = try tarball(["file": ""], in: machine)
    #expect(try await failure(machine, empty) == .tarballWithoutConfiguration(path: empty.string))
  }

  @Test func aTarballOfBuildsWithoutItsConf() async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(["dkms_main_tree/": "", "elsewhere/dkms.conf": Self.conf], in: machine)
    #expect(try await failure(machine, file) == .tarballWithoutModule(path: file.string))
  }

  @Test func withoutLibarchive() {
    let error = DKMSError.tarball(ArchiveError(.read, "x.tar", .noLibrary("libarchive.so.13: no such file")))
    {
      .tarballUnusable(path: "x.tar", reason: $0)
    }
    #expect("\(error)".contains("libarchive.so.13"))
    #expect(error.remedy == "pacman -S libarchive")
  }

  @Test func noTarballAtAll() async throws {
    let machine = try TemporaryMachine()
    let file = try machine.directory.write("just text\n", to: "x.tar.gz")
    #expect(try await failure(machine, file)?.exitStatus == .wrongState)
  }

  @Test(
    arguments: [
      ("(", 10), ("PACKAGE_NAME=../x", 8), ("PACKAGE_NAME=", 8), ("PACKAGE_VERSION='1 0'", 8),
      ("PACKAGE_VERSION=-1", 8), (#"PACKAGE_VERSION=$'1\n0/..'"#, 8),
    ] as [(String, Int32)])
  func badConf(_ line: String, _ status: Int32) async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(["text-1.0/dkms.conf": "\(Self.conf)\(line)\n"], in: machine)
    let error = try #require(try await failure(machine, file))
    #expect(error.exitStatus.rawValue == status)
    // The file is named by what is still there, not by where it was unpacked.
    #expect(!"\(error)".contains("\(machine.layout.temporaryDirectory)"))
    let directory = try machine.directory.write("\(Self.conf)\(line)\n", to: "mine/dkms.conf")
    #expect(try await failure(machine, directory)?.exitStatus.rawValue == status)
  }

  @Test(arguments: ["../../etc/shadow", "/etc/shadow", "sub/../../../x"]) func linksOutOfTheSource(
    _ target: String
  )
    async throws
  {
    let machine = try TemporaryMachine()
    let file = try tarball(
      ["deep/in/text/dkms.conf": Self.conf], links: [("deep/in/text/sub/x", FilePath(target))], in: machine)
    let error = try #require(try await failure(machine, file))
    #expect(error.exitStatus == .wrongState)
    #expect("\(error)".contains("deep/in/text/sub/x"))
  }

  @Test("A link from the source to the builds leads elsewhere once both are in their places")
  func linksBetweenParts() async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(
      ["dkms_main_tree/6.1.0-a/x86_64/module/text.ko": "text", "dkms_source_tree/dkms.conf": Self.conf],
      links: [("dkms_source_tree/x", "../dkms_main_tree")], in: machine)
    #expect(try await failure(machine, file)?.exitStatus == .wrongState)
  }

  @Test("A source that is a link would come with links that lead out of where it goes")
  func sourceThatIsALink() async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(
      [
        "dkms_main_tree/6.1.0-a/x86_64/module/text.ko": "text", "a/b/c/dkms.conf": Self.conf,
        "etc/shadow": "",
      ],
      links: [("dkms_source_tree", "a/b/c"), ("a/b/c/x", "../../../etc/shadow")], in: machine)
    #expect(try await failure(machine, file)?.exitStatus == .moduleNotProduced)
  }

  @Test(
    "A build is for a kernel, and is no other directory of the module",
    arguments: ["source", "build", "tarball", "x"])
  func buildsOfNoKernel(_ name: String) async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(
      ["dkms_main_tree/\(name)/x86_64/module/text.ko": "text", "dkms_source_tree/dkms.conf": Self.conf],
      in: machine)
    #expect(try await failure(machine, file)?.exitStatus == .wrongState)
  }

  @Test func aBomb() async throws {
    let machine = try TemporaryMachine()
    let file = try tarball(
      ["x/dkms.conf": Self.conf, "x/big": String(repeating: "0", count: 1 << 20)], in: machine)
    var limits = UnpackLimits()
    limits.bytes = 1 << 20
    #expect(try await failure(machine, file, limits: limits)?.exitStatus == .wrongState)
    #expect(try await failure(machine, file) == nil)
  }

  @Test("Notes of the other machine's do not become ours")
  func foreignNotes() async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    let kernel = try machine.addKernel("6.1.0-a")
    try machine.directory.write("precious", to: "lib/modules/6.1.0-a/kernel/precious.ko")
    let build = "dkms_main_tree/6.1.0-a/x86_64"
    let file = try tarball(
      [
        "\(build)/module/text.ko": "text", "\(build)/.dropped-modules": "../../kernel/precious",
        "\(build)/.refused-modules": "text",
        "\(build)/.dep_other": "1.0", "dkms_source_tree/dkms.conf": Self.conf, "dkms_source_tree/text": "",
      ], in: machine)
    #expect(try await machine.install(file, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.product(id, kernel)) == [".dep_other", "module"])
    #expect(Disk.kind(machine.directory.path.appending("lib/modules/6.1.0-a/kernel/precious.ko")) == .file)
    #expect(machine.installed("text.ko", kernel) == "text")
  }

  // MARK: Killed

  @Test func aSourceThatAKilledRunHadPutAsideComesBack() async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    let before = machine.directory.listing()
    // Where the file system cannot swap directories, this is the state between two renames.
    try Files.rename(
      machine.layout.source(id), to: machine.layout.sourceTree.appending(".text-1.0.alpm-dkms-old"))
    try machine.directory.write("new", to: "src/.text-1.0\(Files.stagingSuffix)/dkms.conf")
    try LeftoverSweeper(machine.layout).sweep()
    #expect(machine.directory.listing() == before)
  }

  @Test func whatAKilledLoadLeavesIsSwept() async throws {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    let before = machine.directory.listing()
    try machine.directory.write("mine", to: "src/.tmp_mine/file")
    try machine.directory.write("half", to: "src/.text-1.0\(Files.stagingSuffix)/dkms.conf")
    try LeftoverSweeper(machine.layout).sweep()
    #expect(machine.directory.listing().filter { !$0.contains(".tmp_mine") } == before)
    #expect(machine.directory.listing(of: "src/.tmp_mine") == ["file"])
  }
}
