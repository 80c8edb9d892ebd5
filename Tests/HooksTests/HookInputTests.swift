// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Hooks
import Host
import SystemPackage
import SystemSupport
import TestSupport
import Testing

/// What pacman hands to a hook.
@Suite struct HookInputTests {
  private let system: HookedSystem

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    try system.lay(try system.addSource("registered", "1.0"), builtFor: "6.1.0")
  }

  private static let hooks: [any Hook.Type] = [InstallHook.self, KeepHook.self]

  private func expectNothing(from bytes: [UInt8], at location: SourceLocation = #_sourceLocation) async throws
  {
    for hook in Self.hooks {
      let before = system.directory.listing(of: "var/lib/dkms") + system.directory.listing(of: "usr")
      #expect(try await system.run(hook, input: bytes) == 0, sourceLocation: location)
      let after = system.directory.listing(of: "var/lib/dkms") + system.directory.listing(of: "usr")
      #expect(before == after, sourceLocation: location)
    }
    #expect(system.transcript.output.isEmpty, sourceLocation: location)
    #expect(system.depmods.isEmpty, sourceLocation: location)
  }

  @Test func emptyInputIsNothingToDo() async throws {
    try await expectNothing(from: [])
    try await expectNothing(from: Array("\n\n".utf8))
    #expect(system.transcript.error.isEmpty)
  }

  @Test func unknownLinesAreNothingToDo() async throws {
    try await expectNothing(
      from: Array("usr/share/doc/\nusr/src/a/b/dkms.conf\n/etc/passwd\nnot a package\n".utf8))
    #expect(system.transcript.error.isEmpty)
  }

  @Test func absentPathsAreNothingToDo() async throws {
    try await expectNothing(
      from: Array(
        "usr/src/absent-1.0/dkms.conf\nusr/lib/modules/5.0.0/build/include/\nusr/lib/modules/5.0.0/vmlinuz\n"
          .utf8))
  }

  @Test func bytesThatAreNotTextHideNoOtherLine() async throws {
    try system.addSource("hello", "1.0")
    let input =
      [0xFF, 0xFE, 0x0A] + Array("usr/src/".utf8) + [0xE9] + Array("-1.0/dkms.conf\n".utf8)
      + Array("usr/src/hello-1.0/dkms.conf".utf8)
    #expect(try await system.run(InstallHook.self, input: input) == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  @Test func hooksAreRootsToRun() async throws {
    var system = system
    system.isRoot = false
    try system.addSource("hello", "1.0")
    for hook in Self.hooks {
      #expect(try await system.run(hook, "usr/src/hello-1.0/dkms.conf") == 1)
    }
    #expect(system.transcript.error.count == 2)
    #expect(system.installed("hello", "6.1.0") == nil)
    #expect(try await system.run(InstallHook.self) == 0)
  }

  @Test(arguments: [0, 1])
  func frameworkThatCannotBeReadIsAnError(_ hook: Int) async throws {
    try system.directory.write("exit 1\n", to: "etc/dkms/framework.conf")
    #expect(try await system.run(Self.hooks[hook], "usr/src/hello-1.0/dkms.conf") == 1)
    #expect(system.transcript.error.contains { $0.contains("framework.conf") })
  }
}
