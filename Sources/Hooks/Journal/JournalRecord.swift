// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
internal import Host

/// One call of a helper: what it was given, what it saw, decided and did.
///
/// alpm-dkms-journal(5) describes the file that it becomes.
package struct JournalRecord: Codable, Hashable, Sendable {
  /// Raised when a member is removed or changes its meaning, or when plans are made otherwise of the same facts.
  package static let schema = 1

  package var schema = Self.schema
  /// Its place in the journal; 0 until it has one.
  package var number = 0
  /// The version of this suite.
  package let version: String
  package let helper: HelperKind
  package let phase: HelperKind.Phase
  package let caller: Caller
  /// What pacman handed over.
  package let targets: [TargetLine]
  /// In seconds since 1970.
  package let began: Int
  /// What was seen; nil where it did not come to that, or where it would have been too large.
  package var facts: RecordedFacts?
  /// What was decided.
  package var plan: RecordedPlan?
  /// Why something is left out.
  package var omission: String?
  /// What became of it; nil as long as nothing has.
  package var end: End?

  package init(_ helper: HelperKind, by caller: Caller, targets: [TargetLine], began: Int) {
    version = Version.current
    self.helper = helper
    phase = helper.phase
    self.caller = caller
    self.targets = targets
    self.began = began
  }

  /// How a call ended.
  package struct End: Codable, Hashable, Sendable {
    /// In seconds since 1970.
    package let time: Int
    /// What the helper told pacman.
    package let status: Int32
    /// What became of each step of the plan, in its order.
    package let outcomes: [Outcome]
    /// What kept the helper from its work.
    package let error: DKMSError?
    /// Logs that tell more.
    package let logs: [String]

    package init(time: Int, status: Int32, outcomes: [Outcome] = [], error: DKMSError? = nil) {
      self.time = time
      self.status = status
      self.outcomes = outcomes
      self.error = error
      logs = (outcomes.compactMap(\.failure) + [error].compactMap { $0 }).compactMap(\.log)
    }
  }

  /// How it ended, in a word.
  package var result: Result {
    switch end?.status {
    case nil: .unfinished
    case 0: .well
    case ExitStatus.interrupted.rawValue: .interrupted
    default: .failed
    }
  }

  /// Whether all that was to be done was tried.
  package var isSettled: Bool {
    guard let end else { return false }
    return end.error == nil && end.status != ExitStatus.interrupted.rawValue
  }

  /// What pacman handed over, as far as it is anything to us.
  package var knownTargets: [HookTarget] { targets.compactMap(\.target) }

  /// How a call can have ended; the raw values are read by programs.
  package enum Result: String {
    case well
    case failed
    case interrupted
    /// It was killed, or is at work.
    case unfinished
  }
}
