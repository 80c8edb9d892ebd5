// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Hooks
import Host
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine

/// Before a transaction.
@Suite struct KeepHookTests {
  private let system: HookedSystem
  private let id: ModuleID

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    id = try system.addSource("hello", "1.0")
    try system.lay(id, builtFor: "6.1.0")
  }

  @Test func sourceIsKeptAndNothingIsRemoved() async throws {
    let before = system.directory.listing(of: "var/lib/dkms") + system.directory.listing(of: "usr")
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(TemporaryDirectory.listing(of: system.layout.keptSource(id)) == ["dkms.conf", "text"])
    let after =
      system.directory.listing(of: "var/lib/dkms").filter { !$0.hasPrefix("hello/1.0/.source") }
      + system.directory.listing(of: "usr")
    #expect(after == before)
    #expect(system.state[id]?.usesKeptSource == false)
    #expect(system.transcript.output.isEmpty && system.depmods.isEmpty)
  }

  @Test func olderCopyIsReplaced() async throws {
    try system.directory.write("stale", to: "var/lib/dkms/hello/1.0/.source/stale")
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(TemporaryDirectory.listing(of: system.layout.keptSource(id)) == ["dkms.conf", "text"])
  }

  @Test func sourceThatIsNotRegisteredIsNotKept() async throws {
    try system.addSource("other", "1.0")
    #expect(
      try await system.run(KeepHook.self, "usr/src/other-1.0/dkms.conf", "usr/src/absent-1.0/dkms.conf")
        == 0)
    #expect(Disk.list(system.layout.dkmsTree) == ["hello"])
    #expect(Disk.kind(system.layout.keptSource(id)) == nil)
  }

  @Test func brokenModuleIsNoObstacle() async throws {
    try system.removeSource(id)
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(Disk.kind(system.layout.keptSource(id)) == nil)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  @Test func modulesGoAtOnceWhereTheSuiteGoesToo() async throws {
    let other = try system.addSource("other", "1.0")
    try system.lay(other, builtFor: "6.1.0")
    #expect(
      try await system.run(
        KeepHook.self, "usr/lib/alpm-dkms/alpm-dkms-remove", "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(system.state.modules.map(\.id) == [other])
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(system.installed("other", "6.1.0") == "text of other/1.0")
    #expect(system.depmods == ["6.1.0"])
  }

  @Test func buildsOfAKernelGoAtOnceWhereTheSuiteGoesToo() async throws {
    try system.addKernel("6.2.0")
    try system.lay(id, builtFor: "6.2.0")
    #expect(
      try await system.run(
        KeepHook.self, "usr/lib/alpm-dkms/alpm-dkms-remove", "usr/lib/modules/6.1.0/modules.order") == 0)
    #expect(system.state[id]?.builds.map(\.kernel.release.description) == ["6.2.0"])
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(system.installed("hello", "6.2.0") == "text of hello/1.0")
  }

  @Test func suiteAloneTakesNothingAlong() async throws {
    let before = system.directory.listing(of: "var/lib/dkms")
    #expect(try await system.run(KeepHook.self, "usr/lib/alpm-dkms/alpm-dkms-remove") == 0)
    #expect(system.directory.listing(of: "var/lib/dkms") == before)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }
}
