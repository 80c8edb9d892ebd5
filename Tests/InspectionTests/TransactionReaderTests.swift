// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Inspection

@Suite struct TransactionReaderTests {
  private let system: HookedSystem

  init() throws { system = try HookedSystem() }

  private func installedKernels() async throws -> [String] {
    try await system.findings().transaction.installedKernels.map(\.release.description)
  }

  // MARK: Kernels

  @Test func kernelsAreThoseThatPackagesOwn() async throws {
    try system.addKernel("6.1.0", base: "linux-lts")
    try system.addKernel("6.2.0", base: "linux")
    try system.addKernel("6.3.0")
    try system.addPackage("linux-lts", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/vmlinuz"])
    try system.addPackage("linux-renamed", files: ["usr/lib/modules/6.2.0/"])
    #expect(try await installedKernels() == ["6.1.0", "6.2.0"])
    #expect(try await system.findings().orphans.map(\.description) == ["6.3.0"])
  }

  @Test func allKernelsCountWherePackagesOwnNone() async throws {
    try system.addKernel("6.1.0")
    try system.addKernel("6.2.0")
    try system.addPackage("hello", files: ["usr/src/hello-1.0/dkms.conf"])
    #expect(try await installedKernels() == ["6.1.0", "6.2.0"])
    #expect(try await system.findings().orphans.isEmpty)
  }

  @Test func allKernelsCountWithoutADatabase() async throws {
    try system.addKernel("6.1.0")
    #expect(try await installedKernels() == ["6.1.0"])
    let database = Database(root: system.directory.path)
    #expect(database.problem != nil)
  }

  @Test func directoryWithoutModulesIsNoKernel() async throws {
    try system.directory.write("", to: "usr/lib/modules/6.1.0/build/Makefile")
    try system.directory.write("", to: "usr/lib/modules/6.2.0/modules.dep")
    try system.directory.write("", to: "usr/lib/modules/6.3.0/kernel/own.ko")
    #expect(try await installedKernels() == ["6.3.0"])
  }

  @Test func kernelsThatTargetsNameHaveChanged() async throws {
    for release in ["6.1.0", "6.2.0", "6.3.0"] { try system.addKernel(release) }
    let findings = try await system.findings(
      "usr/lib/modules/6.1.0/vmlinuz", "usr/lib/modules/6.3.0/build/include/",
      "usr/lib/modules/6.4.0/modules.order")
    #expect(findings.transaction.changedKernels.map(\.release.description) == ["6.1.0", "6.3.0"])
    #expect(findings.transaction.goneKernels.isEmpty)
  }

  @Test func headersThatHaveGoneChangeNothing() async throws {
    try system.addKernel("6.1.0", hasHeaders: false)
    let findings = try await system.findings("usr/lib/modules/6.1.0/build/include/")
    #expect(findings.transaction.changedKernels.isEmpty)
  }

  @Test func kernelThatHasGone() async throws {
    try system.addKernel("6.2.0")
    try system.lay(try system.addSource("hello", "1.0"), builtFor: "6.1.0")
    #expect(
      try await system.findings("usr/lib/modules/6.1.0/modules.order").transaction.goneKernels
        .map(\.release.description) == ["6.1.0"])
    #expect(
      try await system.findings("usr/lib/modules/6.2.0/modules.order").transaction.goneKernels.isEmpty)
    #expect(
      try await system.findings("linux-gone").transaction.goneKernels.map(\.release.description) == ["6.1.0"])
  }

  @Test func aPackageOfAKernelMayHaveLostAnother() async throws {
    try system.addKernel("6.2.0")
    try system.lay(try system.addSource("hello", "1.0"), builtFor: "6.1.0")
    try system.addPackage("linux", files: ["usr/lib/modules/6.2.0/", "usr/lib/modules/6.2.0/vmlinuz"])
    try system.addPackage("other", files: ["usr/bin/other"])
    #expect(
      try await system.findings("linux").transaction.goneKernels.map(\.release.description) == ["6.1.0"])
    #expect(try await system.findings("other").transaction.goneKernels.isEmpty)
  }

  @Test func keptDirectoryOfARunningKernelIsNotGone() async throws {
    try system.addKernel("6.1.0")
    try system.addKernel("6.2.0")
    try system.addPackage("linux", files: ["usr/lib/modules/6.2.0/"])
    try system.lay(try system.addSource("hello", "1.0"), builtFor: "6.1.0")
    let findings = try await system.findings("usr/lib/modules/6.1.0/modules.order")
    #expect(findings.transaction.goneKernels.isEmpty)
    #expect(findings.transaction.changedKernels.isEmpty)
    #expect(findings.orphans.map(\.description) == ["6.1.0"])
  }

  // MARK: Modules

  @Test func moduleThatCame() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello-world", "2.0-rc1")
    let findings = try await system.findings("usr/src/hello-world-2.0-rc1/dkms.conf")
    #expect(findings.transaction.changedModules == [id])
    #expect(findings.sources == [id: "\(system.layout.sourceTree)/hello-world-2.0-rc1"])
    #expect(findings.transaction.goneModules.isEmpty)
    #expect(findings.concernedModules == [id])
  }

  @Test func nameOfTheDirectoryDoesNotMatter() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello", "1.0")
    try Files.rename(system.layout.source(id), to: system.layout.sourceTree.appending("other"))
    let findings = try await system.findings("usr/src/other/dkms.conf")
    #expect(findings.transaction.changedModules == [id])
    #expect(findings.sources == [id: "\(system.layout.sourceTree)/other"])
  }

  @Test func pathsAndPackagesMixed() async throws {
    try system.addKernel("6.1.0")
    let ids = [
      try system.addSource("a", "1.0"), try system.addSource("b", "1.0"), try system.addSource("c", "1.0"),
    ]
    try system.addPackage("b-dkms", files: ["usr/", "usr/src/", "usr/src/b-1.0/", "usr/src/b-1.0/dkms.conf"])
    let findings = try await system.findings("usr/src/a-1.0/dkms.conf", "b-dkms", "etc/unknown", "")
    #expect(findings.transaction.changedModules == Array(ids[0...1]))
  }

  @Test func moduleThatHasGone() async throws {
    try system.addKernel("6.1.0")
    let gone = try system.addSource("gone", "1.0")
    let broken = try system.addSource("broken", "1.0")
    for id in [gone, broken] {
      try system.lay(id)
      try system.removeSource(id)
    }
    let findings = try await system.findings("usr/src/gone-1.0/dkms.conf")
    #expect(findings.transaction.goneModules == [gone])
    #expect(findings.transaction.changedModules.isEmpty)
    #expect(findings.errors.isEmpty)
  }

  @Test func moduleOfAPackageThatHasGone() async throws {
    try system.addKernel("6.1.0")
    let kept = try system.addSource("kept", "1.0")
    let broken = try system.addSource("broken", "1.0")
    for id in [kept, broken] {
      try system.lay(id)
      try system.removeSource(id)
    }
    try system.directory.write("", to: "var/lib/dkms/kept/1.0/.source/dkms.conf")
    try system.addPackage("other", files: [])
    // The copy tells that a package took the source away, be it in a transaction whose end nobody saw.
    #expect(try await system.findings("kept-dkms").transaction.goneModules == [kept])
    #expect(try await system.findings("other").transaction.goneModules == [kept])
  }

  @Test func aVersionWithoutSourceIsGoneWhereAnotherVersionIsThere() async throws {
    try system.addKernel("6.1.0")
    let old = try system.addSource("hello", "1.0")
    let moved = try system.addSource("moved", "1.0")
    for id in [old, moved] {
      try system.lay(id)
      try system.removeSource(id)
    }
    #expect(try await system.findings("usr/lib/modules/6.1.0/vmlinuz").transaction.goneModules.isEmpty)
    try system.addSource("hello", "1.1")
    try system.addSource("moved", "1.0")
    try Files.rename(system.layout.source(moved), to: system.layout.sourceTree.appending("elsewhere"))
    #expect(try await system.findings("usr/lib/modules/6.1.0/vmlinuz").transaction.goneModules == [old])
  }

  @Test func pathsThatAreNowhereAreNothing() async throws {
    try system.addKernel("6.1.0")
    let findings = try await system.findings("usr/src/nothing-1.0/dkms.conf", "usr/src/nothing/sub/dkms.conf")
    #expect(findings.transaction.changedModules.isEmpty && findings.transaction.goneModules.isEmpty)
    #expect(findings.errors.isEmpty)
  }

  @Test func everySourceThatIsNotRegisteredIsNews() async throws {
    try system.addKernel("6.1.0")
    let (loose, registered) = (
      try system.addSource("loose", "1.0"), try system.addSource("registered", "1.0")
    )
    try system.lay(registered)
    let findings = try await system.findings("usr/lib/modules/6.1.0/vmlinuz")
    #expect(findings.sources == [loose: "\(system.layout.source(loose))"])
    #expect(findings.transaction.changedModules.isEmpty)
    #expect(findings.concernedModules == [loose, registered])
  }

  @Test func sourceThatCannotBeUnderstoodIsAnErrorOfItsOwnTransactionOnly() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("bad", "1.0", conf: "AUTOINSTALL=maybe")
    let good = try system.addSource("good", "1.0")
    let named = try await system.findings("usr/src/bad-1.0/dkms.conf", "usr/src/good-1.0/dkms.conf")
    #expect(named.errors.map(\.exitStatus) == [.badConfiguration])
    #expect(named.transaction.changedModules == [good])
    let other = try await system.findings("usr/lib/modules/6.1.0/vmlinuz")
    #expect(other.errors.isEmpty)
    #expect(other.warnings.count == 1)
    #expect(other.warnings.first?.contains("bad-1.0/dkms.conf") == true)
  }
}
