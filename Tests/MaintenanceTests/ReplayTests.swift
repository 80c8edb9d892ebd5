// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import JSON
import Journal
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Hooks
@testable import Maintenance

/// What `alpm-dkms` says of records, and does with them.
@Suite struct ReplayTests {
  private let system: HookedSystem
  private var journal: Journal { Journal(system.layout) }

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
  }

  private static let hello = "usr/src/hello-1.0/dkms.conf"

  private func installHello() async throws {
    try system.addSource("hello", "1.0")
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
  }

  /// Runs a command; its status and what it printed.
  private func run(_ command: some JournalCommand) async -> (status: Int32, output: [String], error: [String])
  {
    let transcript = Transcript()
    var host = system.host
    host.console = transcript.console
    host.workingDirectory = system.directory.path
    let status = await command.run(layout: system.layout, host: host)
    return (status, transcript.output, transcript.error)
  }

  private func input(_ text: String) throws -> FileDescriptor {
    try FileDescriptor.open(try system.directory.write(text, to: "answers"), .readOnly)
  }

  // MARK: History and show

  @Test func withoutRecordsHistoryIsEmptyAndSaysSo() async throws {
    let history = await run(HistoryCommand())
    #expect(history == (0, [], ["==> no hook has left a record yet"]))
    let json = await run(HistoryCommand(printsJSON: true))
    #expect(json.status == 0 && json.error == [])
    #expect(try JSONParser.parse(Array(json.output.joined().utf8))["records"] == .array([]))
    #expect(await run(ShowCommand()).status == 1)
  }

  @Test func historyHasALineARecordWithFailuresMarked() async throws {
    try await installHello()
    try system.addSource("bad", "1.0", conf: "MAKE[0]=false")
    #expect(try await system.run(InstallHook.self, "usr/src/bad-1.0/dkms.conf") == 1)
    try system.directory.write("{", to: "var/lib/alpm-dkms/journal/3.json")
    let history = await run(HistoryCommand())
    #expect(history.status == 0 && history.output.count == 3)
    #expect(history.output[0].hasPrefix("1  2023-11-1") && history.output[0].contains("install  well"))
    #expect(history.output[0].hasSuffix("1 built, 1 installed"))
    #expect(history.output[1].contains("failed") && history.output[1].contains("1 failed"))
    #expect(history.output[2].contains("unreadable"))
    #expect(await run(HistoryCommand(count: 1)).output.map { $0.first } == ["3"])
    let json = try JSONParser.parse(
      Array(await run(HistoryCommand(printsJSON: true)).output.joined().utf8))
    guard case .array(let records)? = json["records"] else { throw JournalError.usage("no records") }
    #expect(records.map { $0["result"] } == ["well", "failed", "unreadable"].map(JSON.string))
    #expect(try JSONSchema("history").faults(in: json) == [])
  }

  @Test func showTellsWhatWasSeenPlannedAndDone() async throws {
    try await installHello()
    let shown = await run(ShowCommand("1"))
    #expect(shown.status == 0)
    let wanted = [
      "targets:", "  \(Self.hello)", "  new or changed modules: hello/1.0", "  kernels: 6.1.0",
      "  hello/1.0 for 6.1.0: would be built (its source is new or changed): done",
    ]
    #expect(wanted.allSatisfy(shown.output.contains), "\(shown.output)")
    #expect(await run(ShowCommand()).output == shown.output)
    let json = await run(ShowCommand("1", printsJSON: true))
    #expect(try JSONSchema("record").faults(in: json.output.joined()) == [])
    #expect(Array((json.output.joined() + "\n").utf8) == (try Files.read(journal.path(1))))
    let missing = await run(ShowCommand("7"))
    #expect(missing.status == 1 && missing.error[0].contains("the newest is 1"))
  }

  // MARK: A whole transaction

  /// Two transactions; the second calls two hooks.
  private func runTwoTransactions() async throws {
    var system = system
    system.parent = "boot/7/100"
    try system.addSource("early", "1.0")
    #expect(try await system.run(InstallHook.self, "usr/src/early-1.0/dkms.conf") == 0)
    system.parent = "boot/7/200"
    try system.addSource("hello", "1.0")
    #expect(try await system.run(KeepHook.self, Self.hello) == 0)
    #expect(try await system.run(InstallHook.self, Self.hello) == 0)
  }

  @Test func withoutANumberTheWholeLastTransactionIsShown() async throws {
    try await runTwoTransactions()
    let shown = await run(ShowCommand())
    #expect(
      shown.output.filter { $0.hasPrefix("record ") }.map { $0.prefix(9) } == ["record 2:", "record 3:"])
    let json = try JSONParser.parse(Array(await run(ShowCommand(printsJSON: true)).output.joined().utf8))
    guard case .array(let records)? = json["records"] else { throw JournalError.usage("no records") }
    #expect(records.map { $0["number"] } == [.number(2), .number(3)])
    #expect(try JSONSchema("show").faults(in: json) == [])
    #expect(await run(ShowCommand("1")).output.contains("  usr/src/early-1.0/dkms.conf"))
  }

  @Test func withoutANumberTheWholeLastTransactionIsReplayed() async throws {
    try await runTwoTransactions()
    let recorded = await run(ReplayCommand())
    #expect(recorded.status == 0)
    #expect(
      recorded.output.filter { $0.hasPrefix("==> record") } == [
        "==> record 2: remove", "==> record 3: install",
      ])
    #expect(recorded.output.contains { $0.contains("hello/1.0 for 6.1.0: would be built") })
    #expect(!recorded.output.contains { $0.contains("early") })
    let json = try JSONParser.parse(Array(await run(ReplayCommand(printsJSON: true)).output.joined().utf8))
    guard case .array(let records)? = json["records"] else { throw JournalError.usage("no records") }
    #expect(records.map { $0["record"] } == [.number(2), .number(3)])
    #expect(try JSONSchema("replay").faults(in: json) == [])
    #expect(records[1]["recorded"] == (try journal.record(3).plan))

    try Files.remove(system.directory.path.appending("var/lib/dkms/hello"))
    let executed = await run(ReplayCommand(mode: .execute, isConfirmed: true))
    #expect(executed.status == 0, "\(executed)")
    #expect(system.installed("hello", "6.1.0") != nil)
    // What was executed is one transaction, too.
    #expect(try journal.record(4).caller == .replay)
  }

  @Test func aRecordOfTheTransactionWithoutFactsDoesNotHideTheOthers() async throws {
    try await runTwoTransactions()
    var record = try journal.record(2)
    record.facts = nil
    try Files.write(record.file, to: journal.path(2))
    let replayed = await run(ReplayCommand())
    #expect(replayed.status == 1 && replayed.error[0].contains("record 2 holds no facts"))
    #expect(replayed.output.contains { $0.contains("hello/1.0 for 6.1.0: would be built") })
  }

  @Test(arguments: ["bundle.tar", "bundle.tar.gz"])
  func aBundleCanBeReadLikeARecord(_ bundle: String) async throws {
    try await installHello()
    #expect(await run(BundleCommand("1", output: bundle)).status == 0)
    let list = await run(BundleCommand("1", output: "list.tar", printsJSON: true))
    #expect(try JSONSchema("bundle").faults(in: list.output.joined()) == [])
    let shown = await run(ShowCommand(bundle))
    let record = await run(ShowCommand("1"))
    #expect(shown.status == 0 && shown.output == record.output)
    let replayed = await run(ReplayCommand(bundle))
    let plan = await run(ReplayCommand("1"))
    #expect(replayed.status == 0 && replayed.output == plan.output)
    #expect(await run(ReplayCommand(bundle, mode: .check)).status == 0)
    try system.directory.write("no record", to: "other")
    #expect(await run(ShowCommand("other")).status == 1)
  }

  // MARK: Replay

  @Test func aRecordFromAnotherMachinePlansIdentically() async throws {
    try await installHello()
    let here = await run(ReplayCommand("1", printsJSON: true))
    let other = try HookedSystem()
    let copy = other.directory.path.appending("copy.json")
    try Files.copy(journal.path(1), to: copy)
    let transcript = Transcript()
    var host = other.host
    host.console = transcript.console
    #expect(await ReplayCommand(copy.string, printsJSON: true).run(layout: other.layout, host: host) == 0)
    #expect(transcript.output == here.output && !here.output.isEmpty)
    let recorded = JSON.object([
      .init("schema", .number(2)), .init("version", .string(Version.current)),
      .init("recorded", try #require(try journal.record(1).plan)),
    ])
    #expect(try JSONSchema("replay").faults(in: recorded) == [])
    #expect(here.output == [recorded.text])
  }

  @Test func theMachineAsItIsPlansByItself() async throws {
    try await installHello()
    #expect(try await system.run(InstallHook.self, "usr/lib/modules/6.1.0/modules.order") == 0)
    let recorded = await run(ReplayCommand("1")).output
    #expect(recorded.contains { $0.contains("would be added") })
    let before = system.directory.listing()
    let now = await run(ReplayCommand("1", mode: .now))
    #expect(now.status == 0 && !now.output.contains { $0.contains("would be added") })
    let diff = await run(ReplayCommand("1", mode: .diff)).output
    #expect(diff.contains { $0.hasPrefix("- hello/1.0: would be added") })
    #expect(diff.contains { $0.hasPrefix("  hello/1.0 for 6.1.0: would be built") })
    #expect(diff.contains { $0.contains("facts.tree.modules[0]") }, "\(diff)")
    #expect(system.directory.listing() == before)
    for mode in [ReplayMode.now, .diff] {
      let json = await run(ReplayCommand("1", mode: mode, printsJSON: true)).output.joined()
      #expect(try JSONSchema("replay").faults(in: json) == [])
    }

    let same = await run(ReplayCommand("2", mode: .diff)).output
    #expect(same.contains("==> The plans are the same"), "\(same)")
  }

  @Test func mergedPlansKeepTheirOrder() {
    #expect(
      Comparison.merged(["a", "b", "c"], ["x", "a", "c", "d"]) == ["+ x", "  a", "- b", "  c", "+ d"])
    #expect(Comparison.merged([], ["a"]) == ["+ a"])
    #expect(Comparison.merged(["a"], []) == ["- a"])
  }

  @Test func executionAsksAndThenActs() async throws {
    try await installHello()
    try Files.remove(system.installedFile("hello", "6.1.0"))
    for answer in [false, nil] {
      let refused = await run(ReplayCommand("1", mode: .execute, asks: { _ in answer }))
      #expect(refused.error[0].contains("--yes") == (answer == nil))
      #expect(refused.status == 1 && system.installed("hello", "6.1.0") == nil)
    }
    #expect(try journal.numbers == [1])
    let done = await run(ReplayCommand("1", mode: .execute, asks: { _ in true }))
    #expect(done.status == 0 && system.installed("hello", "6.1.0") != nil)
    #expect(try journal.record(2).caller == .replay)
    #expect(await run(ReplayCommand("1", mode: .execute, isConfirmed: true)).status == 0)
    #expect(try journal.numbers == [1, 2, 3])
  }

  @Test func executionIsForRoot() async throws {
    try await installHello()
    var host = system.host
    host.isRoot = false
    #expect(
      await ReplayCommand("1", mode: .execute, isConfirmed: true).run(layout: system.layout, host: host) == 1)
    #expect(try journal.numbers == [1])
  }

  @Test func targetsOfStandardInputArePlannedFor() async throws {
    try system.addSource("hello", "1.0")
    let plan = await run(ReplayCommand("-", helper: .install, input: try input("\(Self.hello)\n")))
    #expect(plan.output.contains { $0.contains("hello/1.0 for 6.1.0: would be built") })
    #expect(try journal.numbers.isEmpty && system.installed("hello", "6.1.0") == nil)
    #expect(await run(ReplayCommand("-", input: try input(""))).status == 1)
    let unasked = await run(
      ReplayCommand("-", helper: .install, mode: .execute, input: try input(Self.hello)))
    #expect(unasked.status == 1 && unasked.error[0].contains("--yes"))
    let done = await run(
      ReplayCommand("-", helper: .install, mode: .execute, isConfirmed: true, input: try input(Self.hello)))
    #expect(done.status == 0 && system.installed("hello", "6.1.0") != nil)
  }

  // MARK: Refusal

  @Test func recordsThatAreNotWhatWasWrittenAreRefusedWithThePlace() async throws {
    try await installHello()
    let text = String(decoding: try Files.read(journal.path(1)), as: UTF8.self)
    let refusal = { (text: String) async throws -> String in
      let file = try system.directory.write(text, to: "edited.json")
      let run = await run(ReplayCommand(file.string))
      #expect(run.status == 1 && run.output.isEmpty)
      return run.error.first ?? ""
    }
    let older = text.replacing("\"schema\": 4,", with: "\"schema\": 0,")
    #expect(try await refusal(older).contains("schema: it is 0"))
    #expect(
      try await refusal(text.replacing("\"schema\": 4,", with: "\"schema\": 5,")).contains("schema: it is 5"))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(try await refusal(lines.prefix(9).joined(separator: "\n")).contains("edited.json: 9:"))
    #expect(try await refusal("").contains("1:1"))
    let line = try #require(lines.firstIndex { $0.hasPrefix("  \"facts\"") }) + 1
    let edited = text.replacing("\"has_headers\": true", with: "\"has_headers\": false")
    #expect(try await refusal(edited).contains("\(line): facts: it was changed"))
    #expect(
      try await refusal(text.replacing("\"status\": 0", with: "\"status\": 1")).contains(
        ": end: it was changed"))
    #expect(
      try await refusal(text.replacing("\"phase\": \"post\",", with: "")).contains("phase: it was taken out"))
    #expect(try await refusal("[]").contains("schema"))
  }

  @Test func aForeignRecordGivesTheTerminalNoOrders() async throws {
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let image = InitramfsImage(path: "/boot/\u{1B}[31m.img", kernel: kernel, generator: .dracut)
    let condition = ImageCondition(image: image, flaws: [.missing])
    var record = JournalRecord(.initramfs, by: .pacman, targets: [], began: 0)
    let facts = RoundFacts(
      images: ImageFacts(
        runs: [.init(recipe: ImageRecipe(images: [image], options: []), conditions: [condition])]))
    record.facts = facts.json
    record.plan = InitramfsHook.plan(facts).json
    let file = system.directory.path.appending("foreign.json")
    try Files.write(record.file, to: file)
    let commands: [any JournalCommand] = [
      ShowCommand(file.string), ReplayCommand(file.string), ReplayCommand(file.string, mode: .diff),
      ShowCommand("\u{1B}[31m.json"),
    ]
    for command in commands {
      let run = await run(command)
      let all = (run.output + run.error).joined()
      #expect(all.contains("[31m") && !all.contains("\u{1B}"), "\(run)")
    }
  }

  @Test func recordsOfOtherVersionsAreToldAsFarAsTheyCanBeRead() async throws {
    try system.directory.write(
      """
      {"schema":5,"number":1,"helper":"install","phase":"post","caller":"pacman",\
      "targets":["\(Self.hello)"],"began":1700000000,"facts":{},"plan":[],"end":{"time":1700000001,"status":0}}
      """, to: "var/lib/alpm-dkms/journal/1.json")
    try system.directory.write(
      #"{"schema":5,"number":2,"helper":"polish","caller":"cron","targets":["wax"],"began":1700000002}"#,
      to: "var/lib/alpm-dkms/journal/2.json")
    let history = await run(HistoryCommand())
    #expect(history.status == 0 && history.output.count == 2)
    #expect(history.output[0].contains("install") && history.output[0].contains("well"))
    #expect(history.output[0].contains("schema: it is 5"))
    #expect(history.output[1].contains("polish") && history.output[1].contains("(cron)"))

    let shown = await run(ShowCommand("1"))
    #expect(shown.status == 0)
    #expect(
      shown.output.contains("  \(Self.hello)") && shown.output.contains { $0.contains("schema: it is 5") })
    #expect(await run(ShowCommand("2")).output.contains("  wax"))
    #expect(await run(ShowCommand("2", printsJSON: true)).output.joined().contains("\"polish\""))

    let replayed = await run(ReplayCommand("1"))
    #expect(replayed.status == 1 && replayed.error[0].contains("schema: it is 5"))
    try system.addSource("hello", "1.0")
    let now = await run(ReplayCommand("1", mode: .now))
    #expect(now.status == 0 && now.output.contains { $0.contains("would be built") })
    let unknown = await run(ReplayCommand("2", mode: .now))
    #expect(unknown.status == 1 && unknown.error[0].contains("'polish'"))
    #expect(await run(ReplayCommand(mode: .check)).status == 1)
    #expect(await run(BundleCommand("1", output: "a.tar")).status == 1)
  }

  @Test func everyBeginningOfARecordIsRefused() async throws {
    try await installHello()
    let bytes = try Files.read(journal.path(1))
    for length in stride(from: 0, to: bytes.count - 2, by: 97) {
      #expect(throws: JournalError.self) { try JournalRecord(Array(bytes[..<length]), of: "cut") }
    }
  }

  @Test func aRecordWhoseFactsGiveAnotherPlanIsFound() async throws {
    try await installHello()
    #expect(await run(ReplayCommand(mode: .check)).output == ["==> 1 record gives the plan that it holds"])
    var record = try journal.record(1)
    record.plan = Plan().json
    try Files.write(record.file, to: journal.path(1))
    let check = await run(ReplayCommand(mode: .check))
    #expect(check.status == 1 && check.error[0].contains("record 1"))
  }
}
