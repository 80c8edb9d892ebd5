// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Inspection
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Hooks

/// A failure stays on record until it is fixed, and no longer.
@Suite struct FailureRecordTests {
  private let system: HookedSystem
  private let id: ModuleID
  private let target = "usr/src/hello-1.0/dkms.conf"

  /// A module that has failed for two kernels.
  init() async throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    try system.addKernel("6.2.0")
    id = try system.addSource("hello", "1.0", conf: "MAKE[0]='echo a.c:1: error: no; false'")
    #expect(try await system.run(InstallHook.self, target) == 1)
    #expect(failures == ["6.1.0-x86_64", "6.2.0-x86_64"])
  }

  private var failures: [String] {
    Disk.list(system.layout.build(id)).filter { Disk.isDirectory(system.layout.build(id).appending($0)) }
  }

  private func noteFailedInstallation() throws {
    try system.directory.write(
      "it is built but not installed: it could not be synced\n",
      to: "var/lib/dkms/\(id)/build/6.1.0-x86_64/reason")
  }

  private func reasons() async throws -> [String] {
    try await system.verification().verdicts.flatMap(\.findings).map(\.reason)
  }

  @Test func itStaysWhateverElseHappens() async throws {
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(failures == ["6.1.0-x86_64", "6.2.0-x86_64"])
    let failed = "its build failed: a.c:1: error: no"
    #expect(try await reasons().filter { $0 == failed }.count == 2)
  }

  @Test func oneThatWasCutShortIsNone() async throws {
    let build = system.layout.build(id)
    let halfMade = ".make.log\(Files.stagingSuffix)"
    for name in ["6.3.0-x86_64/\(halfMade)", "6.1.0-x86_64/\(halfMade)", halfMade] {
      try system.directory.write("make\n", to: "var/lib/dkms/\(id)/build/\(name)")
    }
    try Files.makeDirectories(build.appending("6.4.0-x86_64"))
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(failures == ["6.1.0-x86_64", "6.2.0-x86_64"])
    #expect(Disk.list(build.appending("6.1.0-x86_64")) == ["make.log", "reason"])
    #expect(Disk.kind(build.appending(halfMade)) == nil)
  }

  @Test("A failed installation does not stay on record where the module is installed")
  func installedAfterAll() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, target) == 0)
    try noteFailedInstallation()
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(Disk.kind(system.layout.build(id)) == nil)
  }

  @Test("But it stays where the module is not installed")
  func notInstalled() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, target) == 0)
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    try Files.remove(system.layout.activeLink("hello", kernel))
    try noteFailedInstallation()
    try LeftoverSweeper(system.layout).sweep()
    #expect(failures == ["6.1.0-x86_64"])
  }

  @Test func aBuildThatSucceedsFixesIt() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(failures.isEmpty)
    #expect(try await !reasons().contains { $0.contains("failed") })
  }

  @Test func itGoesWithItsKernelAndNotWithAnother() async throws {
    try Files.remove(system.layout.installTree.appending("6.2.0"))
    #expect(try await system.run(InstallHook.self, "usr/lib/modules/6.2.0/modules.order") == 0)
    #expect(failures == ["6.1.0-x86_64"])
    #expect(try await reasons() == ["its build failed: a.c:1: error: no"])
  }

  @Test func itGoesWithItsModule() async throws {
    #expect(try await system.run(KeepHook.self, target) == 0)
    try system.removeSource(id)
    #expect(try await system.run(InstallHook.self, target) == 0)
    #expect(Disk.kind(system.layout.module("hello")) == nil)
    #expect(try await reasons().isEmpty)
  }
}
