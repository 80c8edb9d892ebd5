// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Hooks
import Host
import Maintenance
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine

/// After a transaction.
@Suite struct InstallHookTests {
  private let system: HookedSystem

  init() throws { system = try HookedSystem() }

  @Test func newModuleIsInstalledForEveryKernel() async throws {
    try system.addKernel("6.1.0")
    try system.addKernel("6.2.0")
    let id = try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    for release in ["6.1.0", "6.2.0"] { #expect(system.installed("hello", release) == "text of hello/1.0") }
    #expect(system.state[id]?.builds.map(\.isInstalled) == [true, true])
    #expect(system.depmods.sorted() == ["6.1.0", "6.2.0"])
    #expect(system.transcript.output.contains { $0.contains("hello/1.0 for 6.2.0") })
  }

  @Test func newKernelGetsEveryModule() async throws {
    try system.addKernel("6.2.0")
    try system.lay(try system.addSource("a", "1.0"))
    try system.addSource("b", "1.0", conf: "BUILD_DEPENDS[0]=a")
    try system.addSource("manual", "1.0", conf: "AUTOINSTALL=no")
    #expect(try await system.run(InstallHook.self, "usr/lib/modules/6.2.0/vmlinuz") == 0)
    #expect(system.installed("a", "6.2.0") == "text of a/1.0")
    #expect(system.installed("b", "6.2.0") == "text of b/1.0")
    #expect(system.installed("manual", "6.2.0") == nil)
    #expect(system.depmods == ["6.2.0"])
  }

  @Test func whatNobodyAskedToBeBuiltIsNamedInOneLine() async throws {
    for release in ["6.1.0", "6.2.0"] { try system.addKernel(release) }
    for name in ["manual", "other"] { try system.addSource(name, "1.0", conf: "AUTOINSTALL=no") }
    try system.addSource("picky", "1.0", conf: "AUTOINSTALL=no\nBUILD_EXCLUSIVE_KERNEL='^5'")
    try system.addSource("hello", "1.0")
    let targets = ["6.1.0", "6.2.0"].map { "usr/lib/modules/\($0)/vmlinuz" }
    #expect(try await system.run(InstallHook.self, targets[0], targets[1]) == 0)
    let lines = system.transcript.output.filter { $0.contains("AUTOINSTALL") }
    #expect(
      lines == [
        "  -> not built, since their dkms.conf does not set AUTOINSTALL: "
          + "manual/1.0 for 6.1.0, 6.2.0; other/1.0 for 6.1.0, 6.2.0"
      ])
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(system.transcript.output.filter { $0.contains("AUTOINSTALL") } == lines, "they are not due")
  }

  @Test func upgradeTakesThePlaceOfTheOldVersion() async throws {
    try system.addKernel("6.1.0")
    let old = try system.addSource("hello", "1.0")
    try system.lay(old, builtFor: "6.1.0")
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    try system.removeSource(old)
    let new = try system.addSource("hello", "1.1")
    #expect(
      try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf", "usr/src/hello-1.1/dkms.conf")
        == 0)
    #expect(system.state.modules.map(\.id) == [new])
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.1")
    #expect(system.depmods == ["6.1.0"])
  }

  @Test func oldVersionStaysWhereTheNewOneDoesNotBuild() async throws {
    let kernel = try system.addKernel("6.1.0")
    let old = try system.addSource("hello", "1.0")
    try system.lay(old, builtFor: "6.1.0")
    let targets = ["usr/src/hello-1.0/dkms.conf", "usr/src/hello-1.1/dkms.conf"]
    #expect(try await system.run(KeepHook.self, targets[0]) == 0)
    try system.removeSource(old)
    try system.addSource("hello", "1.1", conf: "MAKE[0]=false")
    #expect(try await system.run(InstallHook.self, targets[0], targets[1]) == 1)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(system.state.installedVersion(of: "hello", for: kernel) == old)
    #expect(system.state[old]?.usesKeptSource == true)
    #expect(system.transcript.error.contains { $0.contains("hello/1.0 stays installed for 6.1.0") })
    // The next attempt succeeds, and takes the place.
    let new = try system.addSource("hello", "1.1")
    #expect(try await system.run(InstallHook.self, targets[1]) == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.1")
    #expect(system.state.modules.map(\.id) == [new])
  }

  @Test func reinstallationDiscardsTheCopyOfTheSource() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello", "1.0")
    try system.lay(id, builtFor: "6.1.0")
    let target = "usr/src/hello-1.0/dkms.conf"
    #expect(try await system.run(KeepHook.self, target) == 0)
    #expect(Disk.isDirectory(system.layout.keptSource(id)))
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(Disk.kind(system.layout.keptSource(id)) == nil)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  /// pacman may be killed, or the power fail, between the packages' changes and the hooks after them.
  @Test func aSourceThatChangedInATransactionWithoutEndIsBuiltByTheNext() async throws {
    try system.addKernel("6.1.0")
    let ids = try ["changed", "same"].map { try system.addSource($0, "1.0") }
    for id in ids {
      try system.lay(id, builtFor: "6.1.0")
      #expect(try await system.run(KeepHook.self, "usr/src/\(id.sourceDirectoryName)/dkms.conf") == 0)
    }
    try system.directory.write("another text", to: "usr/src/changed-1.0/text")

    #expect(try await system.run(InstallHook.self, "usr/src/absent-1.0/dkms.conf") == 0)
    #expect(system.installed("changed", "6.1.0") == "another text")
    #expect(!system.transcript.output.contains { $0.contains("same/1.0 for 6.1.0") })
    #expect(ids.allSatisfy { Disk.kind(system.layout.keptSource($0)) == nil })
  }

  @Test func removedModuleLeavesNothing() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello", "1.0")
    try system.lay(id, builtFor: "6.1.0")
    let target = "usr/src/hello-1.0/dkms.conf"
    #expect(try await system.run(KeepHook.self, target) == 0)
    try system.removeSource(id)
    #expect(try await system.run(InstallHook.self, target) == 0, "\(system.transcript.error)")
    #expect(system.directory.listing(of: "var/lib/dkms").isEmpty)
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(system.depmods == ["6.1.0"])
  }

  /// A kernel that is left alone, and one that nobody owns, are left by the module as well.
  @Test func scriptsOfARemovedModuleRunForEachKernelThatItLeaves() async throws {
    for release in ["6.1.0", "6.2.0"] { try system.addKernel(release) }
    try system.directory.write("ignored-kernels = 6.2.*\n", to: "etc/alpm-dkms.conf")
    let id = try system.addSource("hello", "1.0", conf: #"POST_REMOVE="note.sh $kernelver""#)
    let notes = system.directory.path.appending("notes")
    let script = try system.directory.write(
      "#!/bin/sh\necho $1 >> '\(notes)'\n", to: "usr/src/hello-1.0/note.sh")
    chmod(script.string, 0o755)
    for release in ["6.1.0", "6.2.0", "6.9.9"] { try system.lay(id, builtFor: release) }
    let target = "usr/src/hello-1.0/dkms.conf"
    #expect(try await system.run(KeepHook.self, target) == 0)
    try system.removeSource(id)
    #expect(try await system.run(InstallHook.self, target) == 0)
    let lines = Disk.text(notes)?.split(separator: "\n").sorted()
    #expect(lines == ["6.1.0", "6.2.0", "6.9.9"])
  }

  @Test func removedKernelLeavesNothing() async throws {
    try system.addKernel("6.2.0")
    let id = try system.addSource("hello", "1.0")
    try system.lay(id, builtFor: "6.2.0")
    try system.lay(id, builtFor: "6.1.0")
    #expect(try await system.run(InstallHook.self, "usr/lib/modules/6.1.0/modules.order") == 0)
    #expect(system.state[id]?.builds.map(\.kernel.release.description) == ["6.2.0"])
    #expect(Disk.list(system.layout.module("hello")) == ["1.0", "kernel-6.2.0-x86_64"])
    #expect(Disk.list(system.layout.installTree) == ["6.2.0"])
  }

  // MARK: The running kernel

  @Test func modulesOfTheRunningKernelStayUntilTheNextBoot() async throws {
    var system = system
    system.runningRelease = "6.1.0"
    try system.addKernel("6.2.0")
    let id = try system.addSource("hello", "1.0")
    for release in ["6.1.0", "6.2.0"] { try system.lay(id, builtFor: release) }
    try system.directory.write("text of hello/1.0", to: "usr/lib/modules/6.1.0/updates/dkms/hello.ko")
    let target = "usr/lib/modules/6.1.0/modules.order"
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(system.depmods == ["6.1.0"], "modprobe must find it")
    #expect(system.transcript.output.contains { $0.contains("6.1.0") && $0.contains("until the next boot") })
    // Whatever comes next in this boot changes nothing of it.
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    // Another boot, another kernel.
    system.runningRelease = "6.2.0"
    system.bootIdentifier = "the second boot"
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(system.state[id]?.builds.map(\.kernel.release.description) == ["6.2.0"])
    #expect(Disk.list(system.layout.installTree) == ["6.2.0"])
    #expect(system.directory.listing(of: "var/lib/alpm-dkms/booted").isEmpty)
  }

  // MARK: Transactions without an end

  @Test func theNextTransactionMendsWhatOneWithoutAnEndLeft() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello", "1.0")
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(
      system.state[id]?.build(for: try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64"))?
        .isInstalled == true)
    #expect(system.transcript.output.contains { $0.contains("an earlier transaction left it undone") })
  }

  @Test func soDoesReconciliation() async throws {
    try system.addKernel("6.1.0")
    let gone = try system.addSource("gone", "1.0")
    try system.lay(gone, builtFor: "6.1.0")
    try system.lay(gone, builtFor: "5.0.0")
    #expect(try await system.run(KeepHook.self, "usr/src/gone-1.0/dkms.conf") == 0)
    try system.removeSource(gone)
    try system.addSource("hello", "1.0")
    #expect(await ReconcileCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(system.state.modules.map(\.id.description) == ["hello/1.0"])
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(system.installed("gone", "6.1.0") == nil)
    let before = system.directory.listing(of: "var/lib/dkms") + system.directory.listing(of: "usr")
    #expect(await ReconcileCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(
      system.directory.listing(of: "var/lib/dkms") + system.directory.listing(of: "usr") == before)
  }

  // MARK: Looking

  @Test func aLookChangesNothingAndSaysNothing() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("hello", "1.0")
    // What a call that acts clears away, and says.
    try system.directory.write("", to: "var/lib/dkms/hello/.tmp_1.0_removed/file")
    try system.directory.write("{", to: "var/lib/alpm-dkms/journal/1.json")
    let before = system.directory.listing()
    for helper in HelperKind.allCases {
      _ = try await helper.hook.preview(
        for: [.moduleSource(directory: "hello-1.0")], layout: system.layout, host: system.host)
    }
    #expect(system.directory.listing() == before)
    #expect(system.transcript.output.isEmpty && system.transcript.error.isEmpty)
  }

  // MARK: The administrator's wishes

  @Test func kernelsToLeaveAloneAreLeftAlone() async throws {
    try system.addKernel("6.1.0-custom")
    try system.addKernel("6.2.0")
    let old = try system.addSource("hello", "1.0")
    for release in ["6.1.0-custom", "6.2.0"] { try system.lay(old, builtFor: release) }
    try system.directory.write("ignored-kernels = *-custom\n", to: "etc/alpm-dkms.conf")
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    try system.removeSource(old)
    try system.addSource("hello", "1.1")
    #expect(
      try await system.run(
        InstallHook.self, "usr/src/hello-1.0/dkms.conf", "usr/src/hello-1.1/dkms.conf",
        "usr/lib/modules/6.1.0-custom/vmlinuz") == 0)
    #expect(system.installed("hello", "6.1.0-custom") == "text of hello/1.0")
    #expect(system.installed("hello", "6.2.0") == "text of hello/1.1")
  }

  @Test func aBuildThatSaysNothingForTooLongIsEnded() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("hello", "1.0", conf: "MAKE[0]='sleep 1000'")
    try system.directory.write("silence-limit = 1s\n", to: "etc/alpm-dkms.conf")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 1)
    #expect(
      system.transcript.error.contains { $0.contains("hello/1.0") && $0.contains("nothing for 1 second") })
  }

  // MARK: Another kernel of the same release

  /// What a kernel's headers say of it.
  private func writeHeaders(_ symbols: String) throws {
    try system.directory.write(symbols, to: "usr/lib/modules/6.1.0/build/Module.symvers")
    try system.directory.write(
      "CONFIG_CC_VERSION_TEXT=\"gcc 14\"\n", to: "usr/lib/modules/6.1.0/build/include/config/auto.conf")
  }

  @Test func aKernelRebuiltUnderItsReleaseGetsItsModulesAnew() async throws {
    try system.addKernel("6.1.0")
    try writeHeaders("symbols")
    try system.addSource("hello", "1.0", conf: "MAKE[0]='date +%N > hello.ko'")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    let first = system.installed("hello", "6.1.0")
    for target in ["usr/lib/modules/6.1.0/vmlinuz", "usr/lib/modules/6.1.0/build/include/"] {
      #expect(try await system.run(InstallHook.self, target) == 0)
      #expect(system.installed("hello", "6.1.0") == first, "a reinstallation changes nothing")
    }
    try writeHeaders("other symbols")
    #expect(await VerifyCommand().run(layout: system.layout, host: system.host) == 2)
    #expect(system.transcript.output.contains { $0.contains("built for another kernel of this release") })
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(system.installed("hello", "6.1.0") != first)
  }

  // MARK: Kernels that nobody owns

  @Test func orphanedKernelsAreReportedOnce() async throws {
    try system.addKernel("6.1.0")
    try system.addKernel("5.0.0")
    try system.addPackage("linux", files: ["usr/lib/modules/6.1.0/"])
    try system.addSource("hello", "1.0")
    let target = "usr/src/hello-1.0/dkms.conf"
    let reports = { system.transcript.error.filter { $0.contains("5.0.0") }.count }
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(reports() == 1)
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(reports() == 1)
    #expect(system.installed("hello", "5.0.0") == nil)
    try system.addKernel("5.1.0")
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(reports() == 2)
  }

  // MARK: Failures

  @Test func failureOfOneModuleStopsNoOtherAndIsSaidLast() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("bad", "1.0", conf: "MAKE[0]='echo hopeless; false'")
    try system.addSource("good", "1.0")
    #expect(
      try await system.run(InstallHook.self, "usr/src/bad-1.0/dkms.conf", "usr/src/good-1.0/dkms.conf") == 1)
    #expect(system.installed("good", "6.1.0") == "text of good/1.0")
    #expect(system.transcript.error.contains { $0.hasPrefix("==> ERROR: bad/1.0 for 6.1.0") })
    #expect(system.transcript.error.last?.contains("make.log") == true)
  }

  @Test func kernelWithoutHeadersIsNoFailure() async throws {
    try system.addKernel("6.1.0", hasHeaders: false, base: "linux-lts")
    try system.addSource("a", "1.0")
    try system.addSource("b", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/a-1.0/dkms.conf", "usr/src/b-1.0/dkms.conf") == 0)
    let warnings = system.transcript.error.filter { $0.contains("headers of kernel 6.1.0") }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasSuffix("a/1.0, b/1.0") == true)
    #expect(system.transcript.error.contains { $0.contains("pacman -S linux-lts-headers") })
    #expect(system.state.modules.flatMap(\.builds).isEmpty)
  }

  @Test func excludedKernelIsNoFailure() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("hello", "1.0", conf: "BUILD_EXCLUSIVE_KERNEL='^5'")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(!system.transcript.error.contains { $0.contains("ERROR") })
    #expect(system.transcript.output.contains { $0.contains("hello/1.0 for 6.1.0: skipped") })
  }

  @Test func badConfIsAFailureOfItsOwn() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("bad", "1.0", conf: "AUTOINSTALL=maybe")
    try system.addSource("good", "1.0")
    #expect(
      try await system.run(InstallHook.self, "usr/src/bad-1.0/dkms.conf", "usr/src/good-1.0/dkms.conf") == 1)
    #expect(system.installed("good", "6.1.0") == "text of good/1.0")
    #expect(
      system.transcript.error.contains { $0.contains("bad-1.0/dkms.conf") && $0.contains("AUTOINSTALL") })
  }

  @Test func administratorMayForbidIt() async throws {
    try system.addKernel("6.1.0")
    let gone = try system.addSource("gone", "1.0")
    try system.lay(gone, builtFor: "6.1.0")
    try system.removeSource(gone)
    try system.addSource("hello", "1.0")
    try system.directory.write("", to: "etc/dkms/no-autoinstall")
    #expect(
      try await system.run(InstallHook.self, "usr/src/gone-1.0/dkms.conf", "usr/src/hello-1.0/dkms.conf") == 0
    )
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(system.transcript.error.contains { $0.contains("no-autoinstall") })
    let lines = system.state.modules.map { "\($0.id) \($0.builds.count)" }
    #expect(lines == ["hello/1.0 0"], "registered, and no more")
  }

  @Test func treesOfTheFrameworkAreUsed() async throws {
    try system.addKernel("6.1.0")
    try system.addSource("hello", "1.0")
    let other = system.directory.path.appending("other")
    try system.directory.write("dkms_tree='\(other)'\n", to: "etc/dkms/framework.conf")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(Disk.list(other) == ["hello"])
    #expect(Disk.list(system.layout.dkmsTree).isEmpty)
  }
}
