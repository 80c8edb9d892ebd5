// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import JSON
import SystemPackage
import TestSupport
import Testing

@testable import Journal

/// Records as files in a directory.
@Suite struct JournalTests {
  private let directory: TemporaryDirectory
  private var journal: Journal { Journal(directory.path.appending("journal")) }

  init() throws { directory = try TemporaryDirectory() }

  private func record(_ helper: String = "install", targets: [TargetLine] = [TargetLine("a")], began: Int = 1)
    -> JournalRecord
  {
    JournalRecord(
      version: "1.0", helper: helper, phase: "post", caller: .pacman, targets: targets, began: began)
  }

  private func write(_ count: Int, _ limits: Journal.Limits, targetSize: Int = 10) async throws {
    for index in 0..<count {
      let target = TargetLine(String(repeating: "x", count: targetSize))
      _ = try await Journal(journal.directory, limits: limits).begin(record(targets: [target], began: index))
    }
  }

  @Test(arguments: 0..<20)
  func base64IsThatOfEverybody(_ count: Int) async throws {
    let bytes = (0..<count).map { UInt8(($0 * 83 + 200) & 0xFF) }
    let run = try await Run.program("/usr/bin/base64", ["-w", "0"], input: bytes)
    #expect(Base64.text(of: bytes) == run.output)
    #expect(Base64.bytes(of: run.output) == bytes)
    #expect(Base64.bytes(of: "A") == nil && Base64.bytes(of: "****") == nil)
  }

  @Test func theOldestGo() async throws {
    try await write(7, Journal.Limits(count: 3))
    #expect(try journal.numbers == [5, 6, 7])
    try await write(1, Journal.Limits(bytes: 1))
    #expect(try journal.numbers == [8])
    try await write(3, Journal.Limits(bytes: 30_000), targetSize: 12_000)
    #expect(try journal.numbers == [10, 11])
  }

  @Test func whatAKilledHelperWasWritingGoes() async throws {
    try directory.write("{", to: "journal/.4.json.alpm-dkms-new")
    try await write(1, Journal.Limits())
    #expect(Disk.list(journal.directory) == ["1.json"])
  }

  @Test func whatIsWrittenIsRead() async throws {
    var written = record(targets: [TargetLine([0xE9, 0xFF]), TargetLine("é")])
    written.facts = .object([.init("a", .array([.number(1), .null]))])
    written.plan = .string("p")
    written.end = .init(time: 2, status: 1, error: .object([]), outcomes: .array([]), logs: ["/l"])
    let begun = try await journal.begin(written)
    written.number = 1
    #expect(begun == written)
    #expect(try journal.record(nil) == written)
  }

  // MARK: Records of other versions

  private func read(_ text: String) throws -> JournalRecord {
    try JournalRecord(Array(text.utf8), of: "file")
  }

  @Test func ofAnotherSchemaTheEnvelopeIsRead() throws {
    let record = try read(
      """
      {"schema": 7, "number": 3, "helper": "polish", "phase": "mid", "caller": "cron", "targets": ["a", {"base64": "6f8="}],
       "began": 5, "facts": 1, "plan": [], "more": {}, "end": {"time": 6, "status": 0, "error": null, "outcomes": "all"}}
      """)
    #expect(record.schema == 7 && record.number == 3 && record.helper == "polish" && record.phase == "mid")
    #expect(record.caller == Caller(rawValue: "cron") && record.version == nil && record.began == 5)
    #expect(record.targets == [TargetLine("a"), TargetLine([0xE9, 0xFF])])
    #expect(record.isSettled && record.result == .well)
  }

  @Test(arguments: [
    ("{", "1:2"), ("[]", "schema"), (#"{"schema": 5}"#, "number"),
    (#"{"schema": 5, "number": 1, "helper": "install", "began": 1}"#, "targets"),
    (#"{"schema": 5, "number": 1, "helper": "install", "began": 1, "targets": [1]}"#, "targets[0]"),
    (#"{"schema": 4, "number": 1, "helper": "install", "began": 1, "targets": []}"#, "digests"),
  ])
  func withoutAnEnvelopeNothingIs(_ text: String, _ place: String) {
    #expect { try read(text) } throws: { "\($0)".contains(place) }
  }

  @Test func unfinishedIsWhatFollowsTheLastCallThatEnded() async throws {
    for end in [nil, JournalRecord.End(time: 1, status: 1), nil, .init(time: 1, status: 130)] {
      var call = record(began: 1)
      call.end = end
      _ = try await journal.begin(call)
    }
    _ = try await journal.begin(record("verify"))
    try directory.write("{", to: "journal/6.json")
    try directory.write(
      #"{"schema": 1, "number": 7, "helper": "install", "targets": [], "began": 1}"#, to: "journal/7.json")
    let unfinished = try journal.unfinished(of: "install")
    #expect(unfinished.calls.map(\.number) == [3, 4, 7])
    #expect(unfinished.problems.count == 1 && "\(unfinished.problems)".contains("6.json"))
    #expect(try Journal(directory.path.appending("absent")).unfinished(of: "install").calls.isEmpty)
  }

  @Test func aDirectoryThatCannotBeReadIsNotAnEmptyOne() async throws {
    try Files.link(journal.directory, to: "journal")
    #expect(throws: JournalError.self) { try journal.numbers }
    #expect(throws: JournalError.self) { try journal.unfinished(of: "install") }
    await #expect(throws: JournalError.self) { try await journal.begin(record()) }
  }
}
