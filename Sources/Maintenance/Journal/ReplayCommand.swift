// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Journal
public import SystemPackage

/// What a replay plans for, and what it does with the plan; the raw values are those of the options.
public enum ReplayMode: String, CaseIterable, Sendable {
  /// Plan from the facts that were recorded.
  case recorded
  /// Plan for the machine as it is.
  case now
  /// Make both plans, and show where they differ.
  case diff
  /// Plan for the machine as it is, and do it.
  case execute
  /// Check that the facts of each record still give its plan.
  case check
}

/// `alpm-dkms replay`: plans again what a helper planned, and does it if asked.
public struct ReplayCommand: JournalCommand {
  let subject: String?
  let helper: HelperKind?
  let mode: ReplayMode
  let printsJSON: Bool
  let isConfirmed: Bool
  let input: FileDescriptor
  let asks: @Sendable (String) async -> Bool?

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - subject: The number of a record, a file, or `-` for targets on standard input; nil for those of the
  ///     last transaction or, to check, for all.
  ///   - helper: The helper that gets the targets of standard input.
  ///   - mode: What is planned for.
  ///   - printsJSON: Whether programs read it.
  ///   - isConfirmed: Whether to do it without asking.
  ///   - input: Where targets come from.
  ///   - asks: Asks the user, who says yes or no; nil where nobody can be asked, and nothing is done.
  public init(
    _ subject: String? = nil, helper: HelperKind? = nil, mode: ReplayMode = .recorded,
    printsJSON: Bool = false, isConfirmed: Bool = false, input: FileDescriptor = .standardInput,
    asks: @escaping @Sendable (String) async -> Bool? = TerminalQuestion.ask
  ) {
    self.subject = subject
    self.helper = helper
    self.mode = mode
    self.printsJSON = printsJSON
    self.isConfirmed = isConfirmed
    self.input = input
    self.asks = asks
  }

  /// Replays; 0 where that went well and, to check, where every record gives its plan.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(JournalError) {
      if mode == .check { return try check(layout, host) }
      if subject == "-" { return try await replayInput(layout, host) }
      guard helper == nil else {
        throw JournalError.usage("--hook goes only with -: a record names its own hook")
      }
      return try await replay(try StoredRecord.named(subject, in: Journal(layout), host), layout, host)
    } catch {
      return error.tell(host.console)
    }
  }

  // MARK: What is replayed

  private func replayInput(_ layout: Layout, _ host: Host) async throws(JournalError) -> Int32 {
    guard let helper else {
      throw .usage("say which hook the targets are for: --hook install, remove, initramfs or verify")
    }
    guard mode != .diff else { throw .usage("--diff takes a record: targets alone have no recorded plan") }
    guard mode != .execute || isConfirmed else {
      throw .usage("standard input holds the targets, so nobody can be asked: add --yes")
    }
    let lines: [[UInt8]]
    do { lines = try await input.lines() } catch { throw .unreadable("-", reason: "\(error.reason)") }
    return try await replay([Call(lines.map(TargetLine.init), helper)], layout, host)
  }

  /// Replays each record; one that holds no facts does not keep the others from it.
  private func replay(_ records: [StoredRecord], _ layout: Layout, _ host: Host) async throws(JournalError)
    -> Int32
  {
    let records = records.map(\.record)
    switch mode {
    case .now, .execute:
      var calls: [Call] = []
      for record in records { calls.append(Call(record.targets, try record.kind)) }
      return try await replay(calls, layout, host)
    case .recorded, .diff, .check: break
    }
    var answers: [[JSON.Member]] = []
    var status: Int32 = 0
    for record in records {
      if records.count > 1, !printsJSON {
        host.console.print("==> record \(record.number): \(record.helper)")
      }
      do throws(JournalError) {
        let members = try await replay(record, layout, host)
        answers.append(subject == nil ? [.init("record", .number(record.number))] + members : members)
      } catch  where records.count > 1 {
        status = error.tell(host.console)
      }
    }
    if printsJSON { answer(answers, host.console) }
    return status
  }

  /// Plans from what was recorded and, to compare, for the machine as it is; the members of what programs get.
  private func replay(
    _ record: JournalRecord, _ layout: Layout, _ host: Host
  ) async throws(JournalError) -> [JSON.Member] {
    let work = try record.work
    guard let facts = work.facts, let plan = work.replanned else {
      throw .withoutFacts(
        record.number,
        reason: record.omission ?? work.error.map { "\($0)" } ?? "the call did not get that far")
    }
    guard mode == .diff else {
      if !printsJSON { say(plan, host.console) }
      return [.init("recorded", plan.json)]
    }
    let now = try await preview(for: record.targets, try record.kind, layout, host)
    let comparison = Comparison(recorded: HookPreview(facts: facts, plan: plan), now: now)
    if !printsJSON { comparison.tell(host.console) }
    return comparison.members
  }

  /// A helper and what it is to be called with.
  private struct Call {
    let targets: [TargetLine]
    let helper: HelperKind

    init(_ targets: [TargetLine], _ helper: HelperKind) {
      self.targets = targets
      self.helper = helper
    }
  }

  /// Plans calls for the machine as it is and, to execute them, does what was planned.
  private func replay(_ calls: [Call], _ layout: Layout, _ host: Host) async throws(JournalError) -> Int32 {
    if mode == .execute, !host.isRoot {
      throw .usage("--execute changes the system, so it is for root: use sudo")
    }
    let speaking = mode == .execute && printsJSON ? host.forPrograms() : host
    var plans: [any HookPlan] = []
    for call in calls {
      let plan = try await preview(for: call.targets, call.helper, layout, host).plan
      if calls.count > 1, mode == .execute || !printsJSON {
        speaking.console.print("==> \(call.helper.rawValue)")
      }
      if mode == .execute || !printsJSON { say(plan, speaking.console) }
      plans.append(plan)
    }
    guard mode == .execute else {
      if printsJSON { answer(plans.map { [.init("now", $0.json)] }, host.console) }
      return 0
    }
    guard try await isTold() else {
      host.console.printError("==> nothing was done")
      return 1
    }
    var results: [HookResult] = []
    for call in calls {
      results.append(
        await call.helper.hook.perform(call.targets, by: .replay, layout: layout, host: speaking))
      if Task.isCancelled { break }
    }
    if printsJSON {
      let now = subject == nil ? JSON.array(plans.map(\.json)) : plans.first?.json ?? .null
      host.console.print(results.json([.init("now", now)]).text)
    }
    return results.status
  }

  /// Prints what programs get: of the record that was named, or of a list.
  private func answer(_ answers: [[JSON.Member]], _ console: Console) {
    let members = subject == nil ? [.init("records", .array(answers.map(JSON.object)))] : answers.first ?? []
    console.print(JSON.document(schema: 2, members).text)
  }

  private func isTold() async throws(JournalError) -> Bool {
    if isConfirmed { return true }
    guard let answer = await asks("Do this now?") else {
      throw .usage("nothing was done: there is no terminal to ask at; to go ahead, add --yes")
    }
    return answer
  }

  private func preview(
    for targets: [TargetLine], _ helper: HelperKind, _ layout: Layout, _ host: Host
  ) async throws(JournalError) -> HookPreview {
    do throws(DKMSError) {
      return try await helper.hook.preview(for: targets.compactMap(\.target), layout: layout, host: host)
    } catch {
      throw .usage("\(error)")
    }
  }

  private func say(_ plan: any HookPlan, _ console: Console) {
    if plan.words.isEmpty { console.print("==> Nothing would be done") }
    for line in plan.words { console.print("  -> \(line.withVisibleControls)") }
  }

  // MARK: Checking

  private func check(_ layout: Layout, _ host: Host) throws(JournalError) -> Int32 {
    let journal = Journal(layout)
    let subjects = if let subject { [subject] } else { try journal.numbers.map { "\($0)" } }
    var answers: [JSON] = []
    var wrong = 0
    for subject in subjects {
      var problem: JournalError?
      do throws(JournalError) {
        let work = try JournalRecord(subject, in: journal, host).work
        if let plan = work.replanned, work.plan?.json.text != plan.json.text {
          problem = .otherPlan(subject)
        }
      } catch {
        problem = error
      }
      if let problem {
        wrong += 1
        _ = problem.tell(host.console)
      }
      answers.append(
        .object([
          .init("record", Int(subject).map(JSON.number) ?? .string(subject)),
          .init("agrees", .bool(problem == nil)),
          .init("reason", .string(orNull: problem.map { "\($0)" })),
        ]))
    }
    if printsJSON {
      host.console.print(JSON.document(schema: 2, [.init("records", .array(answers))]).text)
    } else if wrong == 0 {
      host.console.print(
        subjects.count == 1
          ? "==> 1 record gives the plan that it holds"
          : "==> \(subjects.count) records give the plans that they hold")
    }
    return wrong == 0 ? 0 : 1
  }
}
