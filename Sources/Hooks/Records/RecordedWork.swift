// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import JSON
package import Journal

/// The record of the current call. If it cannot be written, that is a warning and stops nothing.
package actor JournalEntry {
  private var record: JournalRecord
  private let journal: Journal
  private let host: Host
  private var isBroken = false

  package init(_ record: JournalRecord, _ journal: Journal, _ host: Host) {
    self.record = record
    self.journal = journal
    self.host = host
  }

  /// Writes down what was handed over, before anything is looked at.
  package func begin() async { await write() }

  /// Writes down what was seen and decided, before anything is done.
  package func note(_ facts: some HookFacts, _ plan: some HookPlan) async {
    record.facts = facts.json
    record.plan = plan.json
    await write()
  }

  /// Writes down how it ended.
  ///
  /// - Returns: The whole record.
  @discardableResult
  package func end(
    _ status: Int32, _ outcomes: [Outcome] = [], error: DKMSError? = nil
  ) async -> JournalRecord {
    record.end = .init(time: host.now(), status: status, outcomes: outcomes, error: error)
    await write()
    return record
  }

  private func write() async {
    if isBroken { return }
    let (record, journal) = (record, journal)
    do throws(JournalError) {
      // A separate task, so that an interrupted call gets its record, too.
      let written = await Task { () async -> Result<JournalRecord, JournalError> in
        do throws(JournalError) {
          if record.number == 0 { return .success(try await journal.begin(record)) }
          try await journal.complete(record)
          return .success(record)
        } catch {
          return .failure(error)
        }
      }.value
      self.record = try written.get()
    } catch {
      isBroken = true
      Narrator(host.console).warn("this call is not recorded: \(error)")
    }
  }
}

/// What a record holds besides its envelope, as understood by the hook that wrote it.
package struct RecordedWork: Sendable {
  /// What was seen; nil if the call did not get that far, or if it would have been too large.
  package let facts: (any HookFacts)?
  /// What was decided.
  package let plan: (any HookPlan)?
  /// What is decided now, from the same facts.
  package let replanned: (any HookPlan)?
  /// What became of each thing that was planned, in the order of the plan; nil as long as nothing has.
  package let outcomes: [Outcome]?
  /// What kept the helper from its work.
  package let error: DKMSError?
}

extension Hook {
  /// Reads a record of this hook.
  fileprivate static func work(of record: JournalRecord) throws(JSONProblem) -> RecordedWork {
    let facts: Facts? = try record.facts?.decode()
    let plan: Plan? = try record.plan?.decode()
    return RecordedWork(
      facts: facts, plan: plan, replanned: facts.map(self.plan),
      outcomes: try record.end?.outcomes?.decode(), error: try record.end?.error?.decode())
  }
}

extension JournalRecord {
  /// Begins a record of a helper of this version.
  package init(_ helper: HelperKind, by caller: Caller, targets: [TargetLine], began: Int) {
    self.init(
      version: Version.current, helper: helper.rawValue, phase: helper.phase, caller: caller,
      targets: targets, began: began)
  }

  /// The helper.
  ///
  /// - Throws: `JournalError` where this version has no such helper.
  package var kind: HelperKind {
    get throws(JournalError) {
      guard let kind = HelperKind(rawValue: helper) else { throw .helper(number, helper) }
      return kind
    }
  }

  /// The parts that can only be read with this version's schema.
  ///
  /// - Throws: `JournalError` where the record has another schema, or cannot be read for another reason.
  package var work: RecordedWork {
    get throws(JournalError) {
      guard schema == Self.schema else { throw .schema(number, found: schema) }
      let hook = try kind.hook
      do throws(JSONProblem) { return try hook.work(of: self) } catch {
        throw .damaged("record \(number)", error)
      }
    }
  }
}

extension JournalRecord.End {
  /// Describes how a call of a helper of this version ended.
  package init(time: Int, status: Int32, outcomes: [Outcome], error: DKMSError? = nil) {
    self.init(
      time: time, status: status, error: error.map { JSON(encoding: $0) }, outcomes: JSON(encoding: outcomes),
      logs: (outcomes.compactMap(\.failure) + [error].compactMap { $0 }).compactMap(\.log))
  }
}

extension Journal {
  /// The journal of a system.
  package init(_ layout: Layout, limits: Limits = Limits()) { self.init(layout.journal, limits: limits) }
}
