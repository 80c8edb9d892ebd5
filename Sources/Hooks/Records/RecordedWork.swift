// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
internal import JSON
package import Journal

/// What a record holds beside its envelope, by its types.
package struct RecordedWork: Hashable, Sendable {
  /// What was seen; nil where it did not come to that, or where it would have been too large.
  package let facts: RecordedFacts?
  /// What was decided.
  package let plan: RecordedPlan?
  /// What became of each thing that was planned, in the order of the plan; nil as long as nothing has.
  package let outcomes: [Outcome]?
  /// What kept the helper from its work.
  package let error: DKMSError?
}

extension JournalRecord {
  /// Begins a record of a helper of this version.
  package init(_ helper: HelperKind, by caller: Caller, targets: [TargetLine], began: Int) {
    self.init(
      version: Version.current, helper: helper.rawValue, phase: helper.phase, caller: caller,
      targets: targets, began: began)
  }

  /// The helper, if it is one of this version's.
  package var kind: HelperKind? { HelperKind(rawValue: helper) }

  /// What only this version's schema tells how to read.
  ///
  /// - Throws: `JournalError` where another schema wrote it, or it cannot be read all the same.
  package func work() throws(JournalError) -> RecordedWork {
    guard schema == Self.schema else { throw .schema(number, found: schema) }
    do throws(JSONProblem) {
      return RecordedWork(
        facts: try facts?.decode(), plan: try plan?.decode(), outcomes: try end?.outcomes?.decode(),
        error: try end?.error?.decode())
    } catch {
      throw .damaged("record \(number)", error)
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
