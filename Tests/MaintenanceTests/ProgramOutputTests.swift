// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Hooks
import Host
import JSON
import Journal
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Maintenance

/// What programs get of commands that act: one document on standard output, whatever is said on the way.
@Suite struct ProgramOutputTests {
  private let system: HookedSystem

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    try system.addPackage(
      "linux", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/modules.order"])
  }

  /// The only thing on standard output, as a value.
  private func document(_ schema: String, at location: SourceLocation = #_sourceLocation) throws -> JSON {
    let output = system.transcript.output
    try #require(output.count == 1, "\(output)", sourceLocation: location)
    #expect(try JSONSchema(schema).faults(in: output[0]) == [], sourceLocation: location)
    return try JSONParser.parse(Array(output[0].utf8))
  }

  private func members(_ json: JSON) -> [String] {
    if case .object(let members) = json { members.map(\.name) } else { [] }
  }

  private func calls(_ json: JSON) -> [JSON] {
    if case .array(let calls)? = json["calls"] { calls } else { [] }
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  @Test func reconciliationTellsFactsPlanAndOutcomes() async throws {
    try system.addSource("hello", "1.0")
    try system.addSource("bad", "1.0", conf: "MAKE[0]=false")
    #expect(await ReconcileCommand(printsJSON: true).run(layout: system.layout, host: system.host) == 1)
    let json = try document("calls")
    #expect(members(json) == ["schema", "version", "status", "calls"])
    #expect(json["schema"] == .number(2) && json["status"] == .number(1))
    let call = try #require(calls(json).first)
    #expect(calls(json).count == 1 && call["helper"] == .string("install"))
    // It is what the journal has, and gives its plan anywhere.
    let record = try Journal(system.layout).record(1)
    #expect(call == JSON(encoding: record) && record.caller == .reconcile)
    let work = try record.work
    #expect(work.replanned?.json == work.plan?.json && work.outcomes?.contains { $0.failure != nil } == true)
    #expect(system.transcript.error.contains { $0.contains("hello/1.0 for 6.1.0: installed") })
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  @Test func reconciliationMakesImagesToo() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    #expect(await ReconcileCommand(printsJSON: true).run(layout: system.layout, host: system.host) == 0)
    let json = try document("calls")
    #expect(calls(json).map { $0["helper"] } == [.string("install"), .string("initramfs")])
    #expect(json["status"] == .number(0))
  }

  @Test func imagesThatAreMade() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    let command = InitramfsCommand(printsJSON: true)
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    let call = try #require(calls(document("calls")).first)
    #expect(call["caller"] == .string("initramfs") && call["plan"] != nil)
  }

  @Test func aReplayThatIsExecuted() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    try Files.remove(system.installedFile("hello", "6.1.0"))
    let said = system.transcript.output.count
    let command = ReplayCommand("1", mode: .execute, printsJSON: true, asks: { _ in true })
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    let output = system.transcript.output.dropFirst(said)
    #expect(output.count == 1, "\(output)")
    let json = try JSONParser.parse(Array((output.first ?? "").utf8))
    #expect(try JSONSchema("calls").faults(in: json) == [])
    #expect(members(json) == ["schema", "version", "status", "now", "calls"])
    #expect(calls(json).first?["caller"] == .string("replay"))
    #expect(calls(json).first?["plan"] == json["now"])
    #expect(system.transcript.error.contains { $0.contains("hello/1.0 for 6.1.0: would be installed") })
    #expect(system.installed("hello", "6.1.0") != nil)
  }

  @Test func whichRecordsGiveTheirPlans() async throws {
    try system.addSource("hello", "1.0")
    for _ in 0..<2 { #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0) }
    let journal = Journal(system.layout)
    try Files.write(Array("{".utf8), to: journal.path(2))
    let said = system.transcript.output.count
    let command = ReplayCommand(mode: .check, printsJSON: true)
    #expect(await command.run(layout: system.layout, host: system.host) == 1)
    let output = system.transcript.output.dropFirst(said)
    let json = try JSONParser.parse(Array(output.joined().utf8))
    #expect(try JSONSchema("replay-check").faults(in: json) == [])
    guard case .array(let records)? = json["records"] else { throw JournalError.usage("no records") }
    #expect(records.map { $0["record"] } == [.number(1), .number(2)])
    #expect(records.map { $0["agrees"] } == [.bool(true), .bool(false)])
    #expect(records[0]["reason"] == .null && records[1]["reason"] != .null)
  }

  @Test func whatTheDoctorFixed() async throws {
    for name in HookInstallation.needed() { try system.addHook(name) }
    let gone = try system.addSource("gone", "1.0")
    try system.lay(gone)
    try system.removeSource(gone)
    let command = DoctorCommand(fixes: true, isAgreed: true, printsJSON: true)
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    let json = try document("doctor")
    #expect(json["findings"] == .array([]))
    guard case .array(let fixed)? = json["fixed"] else { throw JournalError.usage("nothing fixed") }
    #expect(fixed.map { $0["subject"] } == [.string("gone/1.0")])
    #expect(system.transcript.error.contains { $0.hasSuffix("gone/1.0: removed") })
  }

  @Test func whoSaysNoGetsTheFindingsAllTheSame() async throws {
    for name in HookInstallation.needed() { try system.addHook(name) }
    let gone = try system.addSource("gone", "1.0")
    try system.lay(gone)
    try system.removeSource(gone)
    let command = DoctorCommand(fixes: true, printsJSON: true, asks: { _ in false })
    #expect(await command.run(layout: system.layout, host: system.host) == 2)
    let json = try document("doctor")
    #expect(json["fixed"] == .array([]) && json["findings"] != .array([]))
  }

  @Test(arguments: [true, false])
  func whatWasPruned(_ isAgreed: Bool) async throws {
    try system.directory.write("", to: "var/lib/dkms/hello/.tmp_1.0_removed/file")
    let command = PruneCommand(isAgreed: isAgreed, printsJSON: true)
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    guard case .array(let items)? = try document("prune")["items"] else {
      throw JournalError.usage("no items")
    }
    #expect(items.map { $0["removed"] } == [.bool(isAgreed)])
    #expect(Disk.isDirectory(path("var/lib/dkms/hello/.tmp_1.0_removed")) == !isAgreed)
  }

  @Test func onlyRootChangesAnything() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    var user = system
    user.isRoot = false
    #expect(await ReconcileCommand().run(layout: user.layout, host: user.host) == 1)
    #expect(await InitramfsCommand().run(layout: user.layout, host: user.host) == 1)
    #expect(
      system.transcript.error == [
        "==> ERROR: cannot reconcile anything: this needs root",
        "==> ERROR: cannot make any image: this needs root",
      ])
  }
}
