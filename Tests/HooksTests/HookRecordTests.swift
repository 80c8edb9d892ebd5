// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import Inspection
import JSON
import Journal
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Hooks
@testable import Maintenance

/// What the hooks leave on record.
@Suite struct HookRecordTests {
  private let system: HookedSystem
  private var journal: Journal { Journal(system.layout) }

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
  }

  private static let hello = "usr/src/hello-1.0/dkms.conf"
  private static let other = "usr/src/other-1.0/dkms.conf"

  private func failing(_ name: String) throws {
    try system.addSource(name, "1.0", conf: #"MAKE[0]="echo 'a.c:1:1: error: no such thing'; false""#)
  }

  private func expectReplayed(_ record: JournalRecord, at location: SourceLocation = #_sourceLocation) throws
  {
    let work = try record.work
    #expect(work.facts != nil, sourceLocation: location)
    #expect(work.replanned?.json.text == record.plan?.text, sourceLocation: location)
  }

  @Test func aCallThatEndsWellIsOnRecord() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    let record = try journal.record(1)
    #expect(try record.kind == .install && record.phase == "post" && record.caller == .pacman)
    #expect(record.targets.map(\.text) == [Self.hello])
    #expect(record.began == 1_700_000_000 && record.end?.time == 1_700_000_000)
    #expect(record.result == .well && record.version == Version.current)
    guard let plan = try record.work.plan as? Plan else { throw JournalError.usage("no plan") }
    #expect(plan.words.contains("hello/1.0 for 6.1.0: would be built (its source is new or changed)"))
    #expect(try record.work.outcomes == plan.steps.map { _ in .done(warnings: []) })
    try expectReplayed(record)
  }

  @Test func aFailureIsOnRecordWithItsLog() async throws {
    try failing("bad")
    #expect(try await system.run(InstallHook.self, "usr/src/bad-1.0/dkms.conf") == 1)
    let record = try journal.record(nil)
    #expect(record.result == .failed)
    let log = try #require(record.end?.logs?.first)
    #expect(Disk.text(FilePath(log))?.contains("no such thing") == true)
    #expect(try record.work.outcomes?.contains(.notTried) == true)
    try expectReplayed(record)
  }

  @Test func everyHelperIsOnRecord() async throws {
    let id = try system.addSource("hello", "1.0")
    try system.layWhole(id, for: "6.1.0")
    #expect(try await system.run(KeepHook.self, Self.hello) == 0)
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    try system.layWhole(id, for: "6.1.0")
    #expect(try await system.run(VerifyHook.self, Self.hello) == 0)
    #expect(try await system.run(KeepHook.self, "usr/lib/alpm-dkms/alpm-dkms-remove", Self.hello) == 0)
    let records = try journal.numbers.map { try journal.record($0) }
    #expect(records.map(\.helper) == ["remove", "install", "verify", "remove"])
    #expect(records.map(\.phase) == ["pre", "post", "post", "pre"])
    let first = try records[0].work
    #expect(first.plan as? SourcePlan == .keep([id]) && first.outcomes == [.done(warnings: [])])
    guard let verdicts = (try records[2].work.plan as? VerdictPlan)?.verdicts else {
      throw JournalError.usage("no verdicts")
    }
    #expect(verdicts.map(\.standing) == [.fine])
    for record in records { try expectReplayed(record) }
  }

  @Test func reconciliationIsOnRecordAsThat() async throws {
    #expect(await ReconcileCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(try journal.record(1).caller == .reconcile)
  }

  @Test func targetsAreKeptByteForByte() async throws {
    let odd = Array("usr/src/".utf8) + [0xE9, 0xFF] + Array("-1.0/dkms.conf".utf8)
    #expect(
      try await system.run(InstallHook.self, input: odd + [0x0A] + Array("usr/src/é-1/dkms.conf".utf8)) == 0)
    let bytes = try journal.record(1).targets.map(\.bytes)
    #expect(bytes == [odd, Array("usr/src/é-1/dkms.conf".utf8)])
  }

  @Test func anErrorBeforeAnyPlanIsOnRecord() async throws {
    try system.directory.write("exit 1\n", to: "etc/dkms/framework.conf")
    #expect(try await system.run(InstallHook.self, Self.hello) == 1)
    let record = try journal.record(1)
    #expect(record.result == .failed && record.facts == nil && record.end?.error != nil)
  }

  @Test func nothingToDoLeavesNoRecord() async throws {
    #expect(try await system.run(InstallHook.self, "usr/share/doc/") == 0)
    #expect(try journal.numbers.isEmpty)
  }

  @Test func onlyRootMayLook() async throws {
    try Files.makeDirectories(system.layout.journal)
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    let mode = { (path: FilePath) -> mode_t in
      var status = stat()
      return stat(path.string, &status) == 0 ? status.st_mode & 0o7777 : 0
    }
    #expect(mode(journal.directory) == 0o700)
    #expect(mode(journal.path(1)) == 0o600)
  }

  @Test func aJournalThatCannotBeWrittenStopsNothing() async throws {
    try system.addSource("hello", "1.0")
    try system.directory.write("", to: "var/lib/alpm-dkms/journal")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    #expect(system.installed("hello", "6.1.0") != nil)
    #expect(system.transcript.error.filter { $0.contains("this call is not recorded") }.count == 1)
  }

  // MARK: Between beginning and end

  @Test func theRecordStandsBeforeAnythingIsDone() async throws {
    let journal = journal.path(1)
    try system.addSource("hello", "1.0", conf: #"PRE_BUILD="spy""#)
    try system.directory.write(
      "#!/bin/sh\ncp \(journal) \(system.directory.path)/seen\n", to: "usr/src/hello-1.0/spy")
    chmod("\(system.directory.path)/usr/src/hello-1.0/spy", 0o755)
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    // As it would be had the helper been killed then.
    let record = try JournalRecord(reading: system.directory.path.appending("seen"))
    #expect(record.result == .unfinished && record.end == nil)
    try expectReplayed(record)
    #expect(record.words.contains { $0.contains("did not end") })
    #expect(record.plan == (try self.journal.record(1)).plan)
  }

  /// How a call ended before it had done everything; nil where it was killed.
  private static let earlyEnds: [JournalRecord.End?] = [
    nil, .init(time: 2, status: ExitStatus.interrupted.rawValue),
    .init(
      time: 2, status: 1, outcomes: [],
      error: .system(operation: "read", subject: "a file", reason: "no reason")),
  ]

  @Test(arguments: earlyEnds) func whatACallLeftUndoneTheNextOneDoes(_ end: JournalRecord.End?) async throws {
    try system.addSource("hello", "1.0")
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    // A package brings another source of the same version, and the hook does not get to it.
    try system.directory.write("changed", to: "usr/src/hello-1.0/text")
    var call = JournalRecord(.install, by: .pacman, targets: [TargetLine(Self.hello)], began: 1)
    call.end = end
    _ = try await journal.begin(call)

    _ = try await system.run(VerifyHook.self, Self.other)
    #expect(system.installed("hello", "6.1.0") != "changed")
    #expect(try await system.run(InstallHook.self, Self.other) == 0)
    #expect(system.installed("hello", "6.1.0") == "changed")
    #expect(system.transcript.error.filter { $0.contains("call 2 did not finish its work") }.count == 1)
    let record = try journal.record(nil)
    #expect(record.targets.map(\.text) == [Self.other])
    try expectReplayed(record)

    #expect(try await system.run(InstallHook.self, Self.other) == 0)
    #expect(system.transcript.error.filter { $0.contains("did not finish its work") }.count == 1)
  }

  @Test func whatACallHadBuiltAndNotYetInstalledTheNextOneInstalls() async throws {
    let suite = "usr/lib/alpm-dkms/alpm-dkms-install"
    let id = try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, suite) == 0)
    let plan = try journal.record(1).plan
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    try Files.remove(system.layout.activeLink(id.name, kernel))
    try Files.remove(system.installedFile(id.name, "6.1.0"))
    // Whoever has only built a module wants no more than that.
    #expect(try await system.run(InstallHook.self, suite) == 0)
    #expect(system.installed("hello", "6.1.0") == nil)

    var call = JournalRecord(.install, by: .pacman, targets: [TargetLine(suite)], began: 1)
    call.plan = plan
    _ = try await journal.begin(call)
    #expect(try await system.run(InstallHook.self, suite) == 0)
    #expect(system.installed("hello", "6.1.0") != nil)
  }

  // MARK: Records that this version has not written

  @Test func whatAnotherVersionLeftUndoneIsDone() async throws {
    try system.addSource("hello", "1.0")
    try system.addSource("other", "1.0")
    #expect(try await system.run(InstallHook.self, Self.hello, Self.other) == 0)
    try system.directory.write("changed", to: "usr/src/other-1.0/text")
    try system.directory.write(
      """
      {"schema":5,"number":2,"helper":"install","phase":"post","caller":"pacman",\
      "targets":["usr/src/other-1.0/dkms.conf"],"began":1700000000}
      """, to: "var/lib/alpm-dkms/journal/2.json")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    #expect(system.installed("other", "6.1.0") == "changed")
    #expect(system.transcript.error.filter { $0.contains("call 2 did not finish its work") }.count == 1)
  }

  @Test func aRecordThatCannotBeReadIsToldAndStopsNothing() async throws {
    try system.addSource("hello", "1.0")
    let file = try system.directory.write("{", to: "var/lib/alpm-dkms/journal/1.json")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    #expect(system.installed("hello", "6.1.0") != nil)
    let told = system.transcript.error.filter { $0.contains("\(file)") }
    #expect(told.count == 1 && told.first?.hasPrefix("==> WARNING: ") == true, "\(system.transcript.error)")
    #expect(system.transcript.error.contains { $0.contains("alpm-dkms reconcile") })
    // The call after it knows that all was done again.
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    #expect(system.transcript.error.filter { $0.contains("\(file)") } == told)
  }

  @Test func aJournalThatCannotBeLookedAtIsTold() async throws {
    try system.addSource("hello", "1.0")
    // Too many links: neither there nor absent.
    try Files.makeDirectories(journal.directory.removingLastComponent())
    try Files.link(journal.directory, to: "journal")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
    #expect(system.installed("hello", "6.1.0") != nil)
    #expect(system.transcript.error.contains { $0.contains("what earlier calls had yet to do is unknown") })
  }

  @Test func twoAtOnceGetTheirOwnNumbers() async throws {
    let (layout, host) = (system.layout, system.host)
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<20 {
        group.addTask {
          let entry = JournalEntry(
            JournalRecord(.install, by: .pacman, targets: [TargetLine("target\(index)")], began: index),
            Journal(layout), host)
          await entry.note(
            SourceFacts.change(SourceChange(tree: TreeState(), sources: [])), SourcePlan.keep([]))
          await entry.end(Int32(index))
        }
      }
    }
    #expect(try journal.numbers == Array(1...20))
    let records = try journal.numbers.map { try journal.record($0) }
    #expect(Set(records.map(\.targets)).count == 20)
    #expect(records.allSatisfy { Int($0.end?.status ?? -1) == $0.began })
  }

  // MARK: Bounds

  @Test func aRecordThatWouldBeTooLargeSaysSo() async throws {
    var facts = Facts()
    facts.sourceTree = String(repeating: "f", count: 20_000)
    let whole = ModuleFacts(
      transaction: Transaction(), options: PlanningOptions(BuildOptions()), facts: facts)
    var record = JournalRecord(.install, by: .pacman, targets: [TargetLine("a")], began: 1)
    record.facts = whole.json
    record.plan = whole.plan.json
    _ = try await Journal(system.layout, limits: .init(recordBytes: 10_000)).begin(record)
    let written = try journal.record(1)
    #expect(written.facts == nil && written.plan == whole.plan.json && written.targets == record.targets)
    #expect(written.omission?.contains("its facts are left out") == true)
    #expect(await ReplayCommand("1").run(layout: system.layout, host: system.host) == 1)
    #expect(system.transcript.error.first?.contains("its facts are left out") == true)
    _ = try await Journal(system.layout, limits: .init(recordBytes: 800)).begin(
      JournalRecord(
        .install, by: .pacman, targets: [TargetLine(String(repeating: "t", count: 900))], began: 1))
    #expect(try journal.record(2).omission?.contains("1 targets") == true)
  }
}
