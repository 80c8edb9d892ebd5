// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Hooks
import Host
import Inspection
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine

/// An upgrade to a version that nobody understands takes the one away that works.
@Suite struct UnreadableSuccessorTests {
  private let system: HookedSystem
  private let kernel: Kernel
  private let old: ModuleID
  private static let targets = ["usr/src/hello-1.0/dkms.conf", "usr/src/hello-1.1/dkms.conf"]

  init() throws {
    system = try HookedSystem()
    kernel = try system.addKernel("6.1.0")
    old = try system.addSource("hello", "1.0")
    try system.lay(old, builtFor: "6.1.0")
  }

  @Test(arguments: [
    "AUTOINSTALL=true", "if true; then", "PACKAGE_VERSION=", "PACKAGE_NAME=../hello", "exit 3",
    "DEST_MODULE_LOCATION[0]=/elsewhere",
  ])
  func oldVersionStays(_ line: String) async throws {
    #expect(try await system.run(KeepHook.self, Self.targets[0]) == 0)
    try system.removeSource(old)
    try system.addSource("hello", "1.1", conf: line)
    #expect(try await system.run(InstallHook.self, Self.targets[0], Self.targets[1]) == 1)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(system.state.installedVersion(of: "hello", for: kernel) == old)
    #expect(system.state[old]?.usesKeptSource == true)
    #expect(system.transcript.error.contains { $0.contains("hello/1.0 stays installed for 6.1.0") })
    #expect(system.transcript.error.contains { $0.contains("hello-1.1/dkms.conf") })
  }

  @Test func itGivesWayOnceTheSuccessorCanBeRead() async throws {
    try await oldVersionStays("exit 3")
    let new = try system.addSource("hello", "1.1")
    #expect(try await system.run(InstallHook.self, Self.targets[1]) == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.1")
    #expect(system.state.modules.map(\.id) == [new])
  }

  @Test func verdictSaysThatItIsKept() async throws {
    try await oldVersionStays("exit 3")
    let verdict = try #require(try await system.verification().verdicts.first)
    #expect(verdict.standing == .degraded)
    #expect(verdict.findings.contains { $0.subject == "hello/1.0" && $0.reason.contains("source") })
  }
}
