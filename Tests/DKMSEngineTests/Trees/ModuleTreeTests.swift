// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Trees laid by hand, as the reference leaves them.
@Suite struct ModuleTreeTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  /// Registers a module whose source is there.
  private func register(_ name: String, _ version: String) throws -> ModuleID {
    let id = try module(name, version)
    try machine.directory.write("", to: "src/\(name)-\(version)/dkms.conf")
    try Files.makeDirectories(machine.layout.registration(id))
    try Files.link(machine.layout.sourceLink(id), to: machine.layout.source(id))
    return id
  }

  @discardableResult
  private func lay(_ id: ModuleID, builtFor release: String, file: String = "hello.ko") throws -> Kernel {
    try machine.directory.write("text", to: "dkms/\(id)/\(release)/x86_64/module/\(file)")
    return try machine.kernel(release)
  }

  private func lay(_ id: ModuleID, installedFor release: String) throws -> Kernel {
    let kernel = try lay(id, builtFor: release)
    try Files.link(
      machine.layout.activeLink(id.name, kernel), to: FilePath("\(id.version)/\(release)/x86_64"))
    try machine.directory.write("text", to: "lib/modules/\(release)/updates/dkms/hello.ko")
    return kernel
  }

  private var modules: [ModuleRecord] { machine.state.modules }

  @Test func emptyTree() throws {
    #expect(modules.isEmpty)
    try Files.remove(machine.layout.dkmsTree)
    #expect(modules.isEmpty)
  }

  @Test func registeredModulesSortedAsBytes() throws {
    for (name, version) in [("b", "1.10"), ("b", "1.9"), ("B", "1"), ("a-b", "1.0-x")] {
      _ = try register(name, version)
    }
    #expect(modules.map(\.id.description) == ["B/1", "a-b/1.0-x", "b/1.10", "b/1.9"])
    let allAreSound = modules.allSatisfy { !$0.isBroken && !$0.usesKeptSource && $0.builds.isEmpty }
    #expect(allAreSound)
    #expect(modules.last?.source == "\(machine.layout.sourceTree)/b-1.9")
  }

  @Test func buildsAndWhatIsInstalledOfThem() throws {
    let id = try register("hello", "1.0")
    try lay(id, builtFor: "6.2.0")
    _ = try lay(id, installedFor: "6.1.0")
    #expect(
      modules.map(\.builds) == [
        [
          BuildRecord(kernel: try machine.kernel("6.1.0"), isInstalled: true),
          BuildRecord(kernel: try machine.kernel("6.2.0"), isInstalled: false),
        ]
      ])
  }

  @Test func versionsShareTheLinkThatSaysWhichIsInstalled() throws {
    let old = try register("hello", "1.0")
    let new = try register("hello", "1.1")
    try lay(old, builtFor: "6.1.0")
    let kernel = try lay(new, installedFor: "6.1.0")
    #expect(modules.map { $0.build(for: kernel)?.isInstalled } == [false, true])
  }

  @Test func absoluteLinksAreUnderstood() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, builtFor: "6.1.0")
    try Files.link(machine.layout.activeLink("hello", kernel), to: machine.layout.product(id, kernel))
    #expect(modules.map { $0.build(for: kernel)?.isInstalled } == [true])
  }

  @Test func linkToABuildThatIsGoneInstallsNothing() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    try Files.remove(machine.layout.products(id, kernel.release))
    #expect(modules.map(\.builds) == [[]])
  }

  @Test func brokenLink() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    try Files.remove(machine.layout.source(id))
    #expect(modules.map(\.isBroken) == [true])
    #expect(modules.map(\.source) == ["\(machine.layout.sourceTree)/hello-1.0"])
    #expect(modules.map { $0.build(for: kernel)?.isInstalled } == [true])
  }

  @Test func linkToAFileIsBroken() throws {
    let id = try register("hello", "1.0")
    try Files.link(
      machine.layout.sourceLink(id), to: machine.layout.source(id).appending("dkms.conf"))
    #expect(modules.map(\.isBroken) == [true])
  }

  @Test func missingLinkBesideASourceIsBroken() throws {
    let id = try register("hello", "1.0")
    try Files.makeDirectories(machine.layout.build(id))
    try Files.remove(machine.layout.sourceLink(id))
    #expect(modules.map(\.isBroken) == [true])
    #expect(modules.map(\.source) == [nil])
  }

  @Test func registrationThatHoldsNothingYetIsNone() throws {
    let id = try register("hello", "1.0")
    try Files.remove(machine.layout.sourceLink(id))
    #expect(modules.isEmpty)
    try machine.directory.write("", to: "dkms/hello/1.0/.source\(Files.stagingSuffix)")
    #expect(modules.isEmpty)
  }

  @Test func lastGoodVersion() throws {
    let id = try register("hello", "1.0")
    try machine.directory.write("", to: "dkms/hello/1.0/.source/dkms.conf")
    #expect(modules.map(\.usesKeptSource) == [false])
    try Files.link(machine.layout.sourceLink(id), to: machine.layout.keptSource(id))
    try Files.remove(machine.layout.source(id))
    #expect(modules.map(\.usesKeptSource) == [true])
    #expect(modules.map(\.isBroken) == [false])
  }

  @Test func strayFilesAreNoModules() throws {
    let id = try register("hello", "1.0")
    for file in [
      "mok.key", "mok.pub", "post_transaction.log", "stray/file",
      "hello/original_module/6.1.0/x86_64/hello.ko",
      "hello/1.0/build/make.log", "hello/1.0/tarball/hello.tar", "hello/1.0/6.1.0/.tmp_x86_64_build/file",
      "hello/1.0/6.1.0/x86_64/log/make.log", "hello/1.0/6.2.0/file", "hello/1.0/notes/x86_64/module/hello.ko",
      "hello/.tmp_0.9_removed/source", "hello/2.0",
    ] {
      try machine.directory.write("", to: "dkms/\(file)")
    }
    #expect(modules.map(\.id) == [id])
    #expect(modules.map(\.builds) == [[]])
  }

  // MARK: Integrity

  private func integrity(
    _ id: ModuleID, _ kernel: Kernel, modules names: [String] = ["hello"], location: String = "/updates/dkms"
  ) throws -> ModuleTree.Integrity {
    let files = names.map {
      ModuleFile(
        builtName: $0, builtLocation: "", destinationName: $0, destinationLocation: location, isStripped: true
      )
    }
    return try ModuleTree(machine.layout).integrity(
      of: id, kernel, ModuleConfiguration(id: id, modules: files, makeCommand: "make"))
  }

  @Test func installedModuleIsSound() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    #expect(try integrity(id, kernel) == .sound)
    #expect(try ModuleTree(machine.layout).integrity(of: id, kernel, nil) == .sound)
  }

  @Test func builtModuleIsSoundWhereverItIsNot() throws {
    let id = try register("hello", "1.0")
    #expect(try integrity(id, try lay(id, builtFor: "6.1.0")) == .sound)
  }

  @Test func moduleThatIsMissingFromTheTree() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    #expect(try integrity(id, kernel, modules: ["hello", "second"]) == .missingFromTree)
  }

  @Test func installedModuleThatWasChangedOrRemoved() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    try machine.directory.write("other", to: "lib/modules/6.1.0/updates/dkms/hello.ko")
    #expect(try integrity(id, kernel) == .different)
    try Files.remove(machine.layout.installed(kernel.release))
    #expect(try integrity(id, kernel) == .different)
  }

  @Test func moduleAtThePlaceThatItsConfNames() throws {
    let id = try register("hello", "1.0")
    let kernel = try lay(id, installedFor: "6.1.0")
    try Files.remove(machine.layout.installed(kernel.release))
    try machine.directory.write("text", to: "lib/modules/6.1.0/kernel/misc/hello.ko")
    #expect(try integrity(id, kernel, location: "/kernel/misc") == .sound)
  }

  @Test func originalsAreKeptForAKernel() throws {
    let kernel = try machine.kernel("6.1.0")
    #expect(try !ModuleTree(machine.layout).hasOriginals("hello", kernel))
    try machine.directory.write("", to: "dkms/hello/original_module/6.1.0/x86_64/hello.ko")
    #expect(try ModuleTree(machine.layout).hasOriginals("hello", kernel))
    #expect(try !ModuleTree(machine.layout).hasOriginals("hello", try machine.kernel("6.2.0")))
  }
}
