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

/// Hooks run nothing that others than root can change.
@Suite(.requiresRoot) struct TrustTests {
  private let system: HookedSystem
  private let id: ModuleID
  private static let target = "usr/src/hello-1.0/dkms.conf"

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    try system.directory.write(
      "root:x:0:0::/root:/bin/sh\nbob:x:1234:1234::/home/bob:/bin/sh\n", to: "etc/passwd")
    id = try system.addSource("hello", "1.0")
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  private func shell(_ command: String) async throws {
    let run = try await Run.program(
      "/bin/sh", ["-ec", "cd \"$0\"; \(command)", system.directory.path.string])
    try #require(run.status == 0, "\(run)")
  }

  @Test(
    "What others can change is not run, the reason is given, and the command that is named ends it",
    arguments: [
      ("chown 1234 usr/src/hello-1.0/text", "belongs to bob"),
      ("chown -R 1234 usr/src/hello-1.0", "belongs to bob"),
      ("chmod g+w usr/src/hello-1.0/dkms.conf", "group"), ("chmod o+w usr/src/hello-1.0", "anyone"),
      ("chmod 777 usr/src", "anyone"), ("chmod g+w usr", "group"),
      ("chown 1234 var/lib/dkms", "belongs to bob"),
      ("chmod o+w etc/dkms", "anyone"),
      ("touch etc/dkms/hello.conf; chmod o+w etc/dkms/hello.conf", "anyone"),
      ("touch etc/dkms/framework.conf; chown 1234 etc/dkms/framework.conf", "belongs to bob"),
      ("mkdir etc/dkms/framework.conf.d; chmod g+w etc/dkms/framework.conf.d", "group"),
      ("mkdir etc/dkms/hello; touch etc/dkms/hello/x.sh; chmod o+w etc/dkms/hello/x.sh", "anyone"),
      ("touch etc/alpm-dkms.conf; chmod o+w etc/alpm-dkms.conf", "anyone"),
      (
        "mkdir -p home/bob; mv usr/src/hello-1.0 home/bob/h; chown 1234 home/bob; ln -s $PWD/home/bob/h usr/src/hello-1.0",
        "belongs to bob"
      ),
      (
        "mkdir -p home/bob; mv usr/src/hello-1.0/text home/bob; chown 1234 home/bob; ln -s $PWD/home/bob/text usr/src/hello-1.0",
        "belongs to bob"
      ),
      (
        "mkdir -p home/bob; chown 1234 home/bob; touch home/bob/c; ln -s ../../home/bob/c etc/dkms/hello.conf",
        "belongs to bob"
      ),
      (
        "mkdir sticky; chmod 1777 sticky; mv usr/src/hello-1.0/text sticky; chown 1234 sticky/text; ln -s ../../../sticky/text usr/src/hello-1.0",
        "belongs to bob"
      ),
      (
        #"touch cmd; chown 1234 cmd; echo "post_transaction='$PWD/cmd now'" > etc/dkms/framework.conf"#,
        "belongs to bob"
      ),
    ])
  func refused(change: String, reason: String) async throws {
    try await shell(change)
    #expect(try await system.run(InstallHook.self, Self.target) == 1)
    #expect(system.installed("hello", "6.1.0") == nil && system.state.modules.isEmpty)
    let errors = system.transcript.error
    #expect(errors.contains { $0.contains("hello/1.0 is not trusted: ") && $0.contains(reason) }, "\(errors)")
    let remedy = try #require(errors.first { $0.contains("chown") || $0.contains("chmod") }).replacing(
      "  -> ", with: "")
    try await shell(remedy)
    #expect(try await system.run(InstallHook.self, Self.target) == 0, "\(remedy): \(system.transcript.error)")
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  @Test("A sticky directory on the way, and what is root's behind a link, is trusted")
  func trusted() async throws {
    try await shell(
      "mkdir -p sticky; chmod 1777 sticky; mv usr/src/hello-1.0 sticky/h; ln -s ../../sticky/h usr/src/hello-1.0"
    )
    #expect(try await system.run(InstallHook.self, Self.target) == 0, "\(system.transcript.error)")
  }

  @Test("The last good version stays, and the verdict gives the same reason")
  func lastGood() async throws {
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    #expect(try await system.run(KeepHook.self, Self.target) == 0)
    try system.removeSource(id)
    try system.addSource("hello", "1.1", conf: "POST_ADD=\"script\"")
    try system.directory.write("#!/bin/sh\ntouch \(path("ran"))\n", to: "usr/src/hello-1.1/script")
    try await shell("chmod 755 usr/src/hello-1.1/script; chown 1234 usr/src/hello-1.1/script")
    #expect(try await system.run(InstallHook.self, Self.target, "usr/src/hello-1.1/dkms.conf") == 1)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0" && Disk.kind(path("ran")) == nil)
    #expect(system.transcript.error.contains("==> WARNING: hello/1.0 stays installed for 6.1.0"))
    let facts = try await Verification(
      layout: system.layout, host: system.host, database: Database(root: system.directory.path)
    ).facts
    let findings = try #require(facts.verdicts.first).findings
    #expect(
      findings.contains {
        $0.cause == .untrusted && $0.reason.contains("hello/1.1 is not trusted") && $0.remedy != nil
      },
      "\(findings)")
  }

  @Test("The verdict on a module that was never installed gives the reason, too")
  func verdict() async throws {
    try system.lay(id)
    try await shell("chown 1234 usr/src/hello-1.0/text")
    let facts = try await Verification(
      layout: system.layout, host: system.host, database: Database(root: system.directory.path)
    ).facts
    let findings = try #require(facts.verdicts.first).findings
    #expect(findings.map(\.cause) == [.untrusted], "\(findings)")
  }

  @Test("Settings and dkms.conf that bash would run are not run")
  func programs() async throws {
    try system.directory.write(
      "parallel_jobs=$(touch \(path("ran")); echo 2)\n", to: "etc/dkms/framework.conf")
    try await shell("chmod o+w etc/dkms/framework.conf")
    #expect(try await system.run(InstallHook.self, Self.target) == 1)
    #expect(system.transcript.error.contains { $0.contains("framework.conf is not trusted") })
    try await shell("rm etc/dkms/framework.conf")
    try system.directory.write("NAME=$(touch \(path("ran")); echo 2)\n", to: "usr/src/hello-1.0/more")
    try system.addSource("hello", "1.0", conf: ". \(path("usr/src/hello-1.0/more"))")
    try await shell("chown 1234 usr/src/hello-1.0/more")
    #expect(try await system.run(InstallHook.self, Self.target) == 1)
    #expect(Disk.kind(path("ran")) == nil)
  }

  @Test("A removal goes on without the script that others can change")
  func removal() async throws {
    try system.addSource("hello", "1.0", conf: "POST_REMOVE=\"script\"")
    try system.directory.write("#!/bin/sh\ntouch \(path("ran"))\n", to: "usr/src/hello-1.0/script")
    try await shell("chmod 755 usr/src/hello-1.0/script")
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    #expect(try await system.run(KeepHook.self, Self.target) == 0)
    try await shell("chown -R 1234 var/lib/dkms/hello/1.0/.source")
    try system.removeSource(id)
    #expect(try await system.run(InstallHook.self, Self.target) == 1)
    #expect(system.transcript.error.contains { $0.contains("hello/1.0 is not trusted: ") })
    #expect(system.installed("hello", "6.1.0") == nil && Disk.kind(path("ran")) == nil)
  }

  @Test(
    "With trust = warn each thing is warned of once, and run; one who can change that setting cannot choose it"
  )
  func warning() async throws {
    try system.directory.write("trust = warn\n", to: "etc/alpm-dkms.conf")
    try await shell("chown 1234 usr/src/hello-1.0/text")
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    let warnings = system.transcript.error.filter { $0.contains("belongs to bob") }
    #expect(warnings.count == 1 && warnings[0].hasPrefix("==> WARNING: "), "\(system.transcript.error)")
    try await shell("chmod o+w etc/alpm-dkms.conf")
    #expect(try await system.run(InstallHook.self, Self.target) == 1)
  }

  @Test("Where nothing is to be run nobody looks")
  func nothingToDo() async throws {
    #expect(try await system.run(InstallHook.self, Self.target) == 0)
    try await shell("chown -R 1234 usr/src/hello-1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/other-1.0/dkms.conf") == 0)
    #expect(!system.transcript.error.contains { $0.contains("bob") })
  }
}
