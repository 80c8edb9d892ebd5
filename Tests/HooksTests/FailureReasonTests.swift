// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Inspection
import Maintenance
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Hooks

/// What the hook said of a failure, the verdict, the doctor and the history say too.
@Suite struct FailureReasonTests {
  private let system: HookedSystem
  private static let target = "usr/src/hello-1.0/dkms.conf"

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
  }

  /// A way to fail.
  struct Failure: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let conf: String
    var onlyConf = false
    /// What is said by everybody.
    let reason: String
    /// How the verdict begins.
    var beginning = "it was not built: "
    var hasLog = true
  }

  static let failures = [
    Failure(
      testDescription: "for the running kernel", conf: "MAKE[0]='cp running hello.ko'",
      reason: "hello.ko was built for kernel 6.0.9; its Makefile asks for the running kernel"),
    Failure(
      testDescription: "no make", conf: "MAKE[0]='no-such-make'", reason: "no-such-make: command not found",
      beginning: "its build failed: "),
    Failure(
      testDescription: "no space", conf: "MAKE[0]='echo cc1: No space left on device; false'",
      reason: "No space left on device", beginning: "its build failed: "),
    Failure(
      testDescription: "no product", conf: "MAKE[0]=true", reason: "ended without hello.ko",
      beginning: "its build "),
    Failure(
      testDescription: "nothing to build", conf: "", onlyConf: true, reason: "holds nothing to build",
      hasLog: false),
    Failure(
      testDescription: "a script that refuses", conf: "PRE_INSTALL=refuse",
      reason: "its PRE_INSTALL script ended with status 3", beginning: "it is built but not installed: ",
      hasLog: false),
  ]

  @Test(arguments: failures) func itIsSaidEverywhere(_ failure: Failure) async throws {
    let id = try system.addSource("hello", "1.0", conf: failure.conf)
    let source = system.layout.source(id)
    try Files.write(ModuleImage.bytes(for: "6.0.9"), to: source.appending("running"))
    try Files.write(
      Array("#!/bin/sh\nexit 3\n".utf8), to: source.appending("refuse"), permissions: [.ownerReadWriteExecute]
    )
    if failure.onlyConf {
      for name in ["running", "refuse", "text"] { try Files.remove(source.appending(name)) }
    }

    #expect(try await system.run(InstallHook.self, Self.target) == 1)
    #expect(system.transcript.error.contains { $0.contains(failure.reason) }, "\(system.transcript.error)")
    let findings = try await system.verification().verdicts.flatMap(\.findings)
    let reason = try #require(findings.first).reason
    #expect(
      findings.count == 1 && reason.hasPrefix(failure.beginning) && reason.contains(failure.reason),
      "\(findings)")
    #expect((findings[0].log != nil) == failure.hasLog)
    for command in ["doctor", "history"] {
      let before = system.transcript.output.count
      if command == "doctor" {
        _ = await DoctorCommand().run(layout: system.layout, host: system.host)
      } else {
        _ = await HistoryCommand().run(layout: system.layout, host: system.host)
      }
      let lines = system.transcript.output.dropFirst(before)
      #expect(lines.contains { $0.contains(failure.reason) }, "\(command): \(lines)")
    }

    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    #expect(
      try await !system.verification().verdicts.flatMap(\.findings).contains {
        $0.reason.contains(failure.reason)
      })
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    #expect(Disk.kind(system.layout.failureLog(id, kernel).removingLastComponent()) == nil)
  }

  @Test func aLogWithoutAReasonStillTells() async throws {
    let id = try system.addSource("hello", "1.0")
    try system.lay(id)
    try system.fail(id, for: "6.1.0")
    #expect(
      try await system.verification().verdicts.flatMap(\.findings).map(\.reason) == [
        "its build failed: a.c:7: error: no such thing"
      ])
  }
}
