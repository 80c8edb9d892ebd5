// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// From one machine to another in a tarball.
@Suite struct TarballTests {
  /// A machine with text/1.0, built for two kernels.
  private func builtMachine() async throws -> (TemporaryMachine, ModuleID, [Kernel]) {
    let machine = try TemporaryMachine()
    let id = try module("text", "1.0")
    try machine.addTextModule(id, files: ["sub/file": "below", "script": "#!/bin/sh\n"])
    try Files.link(machine.layout.source(id).appending("link"), to: "sub/file")
    let kernels = [try machine.addKernel("6.1.0-a"), try machine.addKernel("6.2.0-b")]
    let report = try await machine.build(id, kernels[0], kernels[1])
    try #require(report.failures.isEmpty)
    return (machine, id, kernels)
  }

  private func paths(in tarball: FilePath) throws -> [String] {
    var reader = try ArchiveReader(tarball)
    var paths: [String] = []
    while let entry = try reader.next() { paths.append(entry.path.string) }
    return paths
  }

  /// The tree of a machine, without the tarballs themselves.
  private func trees(_ machine: TemporaryMachine) -> [String] {
    machine.directory.listing().filter { !$0.contains("tarball/") }
  }

  // MARK: Making

  @Test func everything() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, report) = try await machine.archive(id, kernels[0], kernels[1])
    #expect(report.failures.isEmpty && report.plan.obstacles.isEmpty)
    #expect(
      file
        == machine.layout.registration(id).appending(
          "tarball/text-1.0-kernel6.1.0-a-x86_64-kernel6.2.0-b-x86_64.dkms.tar.gz"))
    #expect(
      try paths(in: file) == [
        "dkms_main_tree",
        "dkms_main_tree/6.1.0-a", "dkms_main_tree/6.1.0-a/x86_64", "dkms_main_tree/6.1.0-a/x86_64/log",
        "dkms_main_tree/6.1.0-a/x86_64/log/make.log", "dkms_main_tree/6.1.0-a/x86_64/module",
        "dkms_main_tree/6.1.0-a/x86_64/module/text.ko",
        "dkms_main_tree/6.2.0-b", "dkms_main_tree/6.2.0-b/x86_64", "dkms_main_tree/6.2.0-b/x86_64/log",
        "dkms_main_tree/6.2.0-b/x86_64/log/make.log", "dkms_main_tree/6.2.0-b/x86_64/module",
        "dkms_main_tree/6.2.0-b/x86_64/module/text.ko",
        "dkms_source_tree", "dkms_source_tree/dkms.conf", "dkms_source_tree/link", "dkms_source_tree/script",
        "dkms_source_tree/sub", "dkms_source_tree/sub/file", "dkms_source_tree/text",
      ])
    // Nothing is left beside it.
    #expect(Disk.list(machine.layout.tarballs(id)).count == 1)
  }

  @Test func sourceAlone() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0], contents: .sourceOnly)
    #expect(file.lastComponent == "text-1.0-source-only.dkms.tar.gz")
    let paths = try paths(in: file)
    #expect(paths.prefix(2) == ["dkms_main_tree", "dkms_source_tree"])
    #expect(!paths.contains { $0.hasPrefix("dkms_main_tree/") })
  }

  @Test func buildsAlone() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let name = machine.directory.path.appending("some/where/else.tar.xz")
    let (file, _) = try await machine.archive(id, kernels[1], contents: .buildsOnly, as: name)
    #expect(file == name)
    #expect(try Files.read(file).starts(with: [0xFD] + Array("7zXZ".utf8)))
    #expect(
      try paths(in: file) == [
        "dkms_main_tree", "dkms_main_tree/6.2.0-b", "dkms_main_tree/6.2.0-b/x86_64",
        "dkms_main_tree/6.2.0-b/x86_64/log", "dkms_main_tree/6.2.0-b/x86_64/log/make.log",
        "dkms_main_tree/6.2.0-b/x86_64/module", "dkms_main_tree/6.2.0-b/x86_64/module/text.ko",
        "dkms_binaries_only", "dkms_binaries_only/PACKAGE_NAME", "dkms_binaries_only/PACKAGE_VERSION",
        "dkms_binaries_only/dkms.conf",
      ])
  }

  @Test func names() throws {
    let layout = Layout()
    let id = try module("text", "1.0")
    let kernel = { (length: Int) in
      // `kernel`, the release, `-x86_64`.
      try Kernel(release: KernelRelease(String(repeating: "6", count: length - 13)), architecture: "x86_64")
    }
    let name = { (kernels: [Kernel]) in layout.tarball(id, kernels, .buildsOnly).lastComponent?.string }
    #expect(try name([kernel(199)])?.hasPrefix("text-1.0-kernel666") == true)
    #expect(try name([kernel(200)]) == "text-1.0-manykernels.dkms.tar.gz")
    #expect(try name([kernel(99), kernel(99)])?.hasPrefix("text-1.0-kernel666") == true)
    #expect(try name([kernel(99), kernel(100)]) == "text-1.0-manykernels.dkms.tar.gz")
    #expect(layout.tarball(id, [], .sourceOnly, named: "x.tar") == "/var/lib/dkms/text/1.0/tarball/x.tar")
    #expect(layout.tarball(id, [], .sourceOnly, named: "./x.tar") == "./x.tar")
    #expect(layout.tarball(id, [], .sourceOnly, named: "/x.tar") == "/x.tar")
  }

  @Test func theSameBytesAgain() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0], kernels[1])
    let bytes = try Files.read(file)
    try await machine.archive(id, kernels[0], kernels[1])
    #expect(try Files.read(file) == bytes)
  }

  @Test func whatCannotBeMade() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let other = try machine.addKernel("6.3.0-c")
    let before = machine.directory.listing()
    #expect(try await machine.archive(id, kernels[0], other).report.plan.obstacles == [.notBuilt(id, other)])
    #expect(try await machine.archive(id).report.plan.obstacles == [.notBuilt(id, nil)])
    let absent = try module("absent", "1.0")
    #expect(try await machine.archive(absent, other).report.plan.obstacles == [.notAdded(absent)])
    let error = try await machine.archive(id, kernels[0], as: "/proc/x/y.tar").report.failures.first
    #expect(error?.exitStatus == .sourceUnusable)
    #expect(machine.directory.listing() == before)
  }

  @Test func aPipeInTheSource() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let pipe = machine.layout.source(id).appending("pipe")
    try #require(try await Run.program("/usr/bin/mkfifo", [pipe.string]).status == 0)
    let (file, report) = try await machine.archive(id, kernels[0])
    #expect(report.failures.first?.exitStatus == .installFailed)
    #expect("\(report.failures)".contains("source/pipe"))
    #expect(Disk.kind(file) == nil && Disk.list(file.removingLastComponent()).isEmpty)
  }

  // MARK: Loading

  @Test func onAnotherMachine() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0], kernels[1])
    let other = try TemporaryMachine()
    try other.addKernel("6.1.0-a")
    let report = try await other.load(file)
    #expect(report.failures.isEmpty && report.warnings.isEmpty && report.plan.skips.isEmpty)
    #expect(other.directory.listing(of: "src") == machine.directory.listing(of: "src"))
    let link = "text/1.0/source -> "
    let listing = { (machine: TemporaryMachine) in
      trees(machine).filter {
        $0.hasPrefix("dkms/") && !$0.contains(link) && !$0.contains("/build/") && !$0.contains("tarball")
      }
    }
    #expect(listing(other) == listing(machine))
    #expect(Disk.linkTarget(other.layout.sourceLink(id)) == other.layout.source(id))
    #expect(other.state[id]?.builds.map(\.kernel) == kernels)
    #expect(Disk.isExecutable(other.layout.source(id).appending("script")))
    #expect(Disk.list(other.layout.temporaryDirectory).isEmpty)
    #expect(try await other.install(id, kernels[0]).failures.isEmpty)
    #expect(other.installed("text.ko", kernels[0]) == "text")
  }

  @Test func installedAtOnce() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0])
    let other = try TemporaryMachine()
    try other.addKernel("6.1.0-a")
    try other.addKernel("6.2.0-b")
    let report = try await other.install(file, kernels[0], kernels[1])
    #expect(report.failures.isEmpty)
    // What came with it is not built again; the other kernel's is.
    let built = report.plan.lines.filter { $0.hasPrefix("build ") }
    #expect(built == ["build text/1.0 for 6.2.0-b"])
    for kernel in kernels { #expect(other.installed("text.ko", kernel) == "text") }
  }

  @Test func whatIsThereStays() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0])
    try Files.write(Array("mine".utf8), to: machine.layout.source(id).appending("text"))
    let before = machine.directory.listing()
    let report = try await machine.load(file)
    #expect(report.plan.obstacles == [.tarballKnown(id)])
    #expect(report.plan.isEmpty)
    #expect(machine.directory.listing() == before)
    #expect(Disk.text(machine.layout.source(id).appending("text")) == "mine")
  }

  @Test func forced() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0])
    try Files.write(Array("mine".utf8), to: machine.layout.source(id).appending("mine"))
    try Files.write(Array("mine".utf8), to: machine.product("text.ko", id, kernels[0]))
    try Files.write(Array("mine".utf8), to: machine.product("text.ko", id, kernels[1]))
    let report = try await machine.forced.load(file)
    #expect(report.failures.isEmpty && report.plan.obstacles.isEmpty)
    #expect(Disk.kind(machine.layout.source(id).appending("mine")) == nil)
    #expect(Disk.text(machine.product("text.ko", id, kernels[0])) == "text")
    #expect(Disk.text(machine.product("text.ko", id, kernels[1])) == "mine")
    #expect(!trees(machine).contains { $0.contains(Files.stagingSuffix) || $0.contains(".tmp_") })
  }

  @Test("A load that fails half-way leaves the source that was there")
  func failedCopy() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0])
    let other = try TemporaryMachine(intercepting: ["depmod", "chmod"])
    try other.addTextModule(id, text: "mine")
    let before = other.directory.listing()
    other.launcher.answers { CommandResult(.exited($0.program == "chmod" ? 1 : 0)) }
    let report = try await other.forced.load(file)
    #expect(report.failures.count == 1)
    #expect(report.outcomes.count > 1)
    #expect(report.outcomes.dropFirst().allSatisfy { $0 == .notTried })
    #expect(other.directory.listing() == before)
    #expect(Disk.text(other.layout.source(id).appending("text")) == "mine")
  }

  @Test("A module that a loaded build no longer has goes with the next installation")
  func forcedOverAnInstallation() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0])
    let conf =
      "BUILT_MODULE_NAME[1]=extra\nDEST_MODULE_LOCATION[1]=/updates\nMAKE[0]='cp text text.ko; cp text extra.ko'"
    try machine.addTextModule(id, conf: conf)
    #expect(try await machine.forced.build(id, kernels[0]).failures.isEmpty)
    #expect(try await machine.install(id, kernels[0]).failures.isEmpty)
    #expect(machine.installed("extra.ko", kernels[0]) == "text")
    #expect(try await machine.forced.load(file).failures.isEmpty)
    #expect(try await machine.forced.install(id, kernels[0]).failures.isEmpty)
    #expect(machine.installed("extra.ko", kernels[0]) == nil)
    #expect(machine.installed("text.ko", kernels[0]) == "text")
  }

  @Test("A source that was left behind is laid over, as the reference does")
  func sourceLeftBehind() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(
      id, kernels[0], as: machine.directory.path.appending("kept.tar"))
    #expect(try await machine.remove(id, kernels[0], kernels[1]).failures.isEmpty)
    try Files.write(Array("mine".utf8), to: machine.layout.source(id).appending("mine"))
    try Files.write(Array("mine".utf8), to: machine.layout.source(id).appending("text"))
    let report = try await machine.load(file)
    #expect(report.failures.isEmpty && report.plan.obstacles.isEmpty)
    #expect(Disk.text(machine.layout.source(id).appending("mine")) == "mine")
    #expect(Disk.text(machine.layout.source(id).appending("text")) == "text")
  }

  // MARK: Without a source

  @Test func buildsWithoutTheirSource() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (file, _) = try await machine.archive(id, kernels[0], contents: .buildsOnly)
    let other = try TemporaryMachine()
    for release in ["6.1.0-a", "6.2.0-b"] { try other.addKernel(release) }
    #expect(try await other.load(file).failures.isEmpty)
    #expect(
      other.dkmsListing.filter { !$0.contains("6.1.0-a/") }
        == ["text/", "text/1.0/", "text/1.0/source/", "text/1.0/source/dkms.conf"])
    #expect(other.directory.listing(of: "src").isEmpty)
    #expect(other.state[id]?.holdsOnlyBuilds == true)
    #expect(other.state[id]?.builds.map(\.kernel) == [kernels[0]])
    #expect(try await other.install(id, kernels[0]).failures.isEmpty)
    #expect(other.installed("text.ko", kernels[0]) == "text")
    // Another kernel cannot have it, and is told why.
    #expect(try await other.build(id, kernels[1]).failures.first?.exitStatus == .badConfiguration)
    #expect(
      try await other.archive(id, kernels[0]).report.plan.obstacles.first?.exitStatus == .badConfiguration)
    #expect(try await other.archive(id, kernels[0], contents: .buildsOnly).report.failures.isEmpty)
    let facts = try await other.facts([id], kernels)
    #expect(Planner.autoinstall(for: [kernels[1]], facts: facts, options: other.options).isEmpty)
    #expect(try await other.remove(id, kernels[0]).failures.isEmpty)
    #expect(other.dkmsListing.isEmpty)
  }

  @Test("The source may come later, and takes its place")
  func sourceAfterBuilds() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (builds, _) = try await machine.archive(id, kernels[0], contents: .buildsOnly)
    let (whole, _) = try await machine.archive(id, kernels[0], kernels[1])
    let other = try TemporaryMachine()
    try await other.load(builds)
    try Files.write(Array("mine".utf8), to: other.product("text.ko", id, kernels[0]))
    let report = try await other.load(whole)
    #expect(report.failures.isEmpty && report.plan.obstacles.isEmpty)
    #expect(report.plan.skips == [Skip(id, kernels[0], .builtAlready)])
    #expect(other.state[id]?.holdsOnlyBuilds == false)
    #expect(Disk.linkTarget(other.layout.sourceLink(id)) == other.layout.source(id))
    #expect(Disk.text(other.product("text.ko", id, kernels[0])) == "mine")
    #expect(other.state[id]?.builds.map(\.kernel) == kernels)
  }

  @Test("So it may out of a package")
  func packageAfterBuilds() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (builds, _) = try await machine.archive(id, kernels[0], contents: .buildsOnly)
    let other = try TemporaryMachine()
    try await other.load(builds)
    try other.addTextModule(id)
    #expect(other.state[id]?.isBroken == true)
    #expect(try await other.add(id).failures.isEmpty)
    #expect(Disk.linkTarget(other.layout.sourceLink(id)) == other.layout.source(id))
    #expect(other.state[id]?.builds.map(\.kernel) == [kernels[0]])
  }

  @Test func buildsForASourceThatIsThere() async throws {
    let (machine, id, kernels) = try await builtMachine()
    let (builds, _) = try await machine.archive(id, kernels[0], contents: .buildsOnly)
    let other = try TemporaryMachine()
    try other.addTextModule(id, text: "other text")
    #expect(try await other.load(builds).failures.isEmpty)
    #expect(Disk.linkTarget(other.layout.sourceLink(id)) == other.layout.source(id))
    #expect(Disk.text(other.layout.source(id).appending("text")) == "other text")
    #expect(Disk.text(other.product("text.ko", id, kernels[0])) == "text")
  }
}
