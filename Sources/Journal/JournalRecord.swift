// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import JSON

/// One call of a helper: what it was given, what it saw, decided and did.
///
/// The members with types of their own are the envelope: every version can read them in every record, to
/// resume unfinished work. What was seen and decided is kept as JSON, whose meaning depends on the schema.
/// alpm-dkms-journal(5) describes the file that it becomes.
package struct JournalRecord: Codable, Hashable, Sendable {
  /// Raised when a member outside the envelope is removed or changes its meaning, or when the same facts give
  /// another plan.
  package static let schema = 4

  /// The schema of facts, plan and outcomes.
  package var schema = Self.schema
  /// Its place in the journal; 0 until it has one.
  package var number = 0
  /// The version of the suite that wrote it, where it says so.
  package let version: String?
  /// The helper, by the last word of its program's name; a helper of another version may be unknown here.
  package let helper: String
  /// On which side of the packages' changes the helper ran: `pre` or `post`.
  package let phase: String?
  /// Who asked for it.
  package let caller: Caller?
  /// What pacman handed over.
  package let targets: [TargetLine]
  /// What it has in common with the other calls of its transaction, and with no others; nil where that is unknown.
  package var transaction: String?
  /// When the call began, in seconds since 1970.
  package let began: Int
  /// What was seen; nil if the call did not get that far, or if it would have been too large.
  package var facts: JSON?
  /// What was decided.
  package var plan: JSON?
  /// Why something is left out.
  package var omission: String?
  /// How it ended; nil until then.
  package var end: End?

  /// Begins a record.
  package init(
    version: String, helper: String, phase: String, caller: Caller, targets: [TargetLine], began: Int
  ) {
    self.version = version
    self.helper = helper
    self.phase = phase
    self.caller = caller
    self.targets = targets
    self.began = began
  }

  /// How a call ended.
  package struct End: Codable, Hashable, Sendable {
    /// When it ended, in seconds since 1970.
    package let time: Int
    /// What the helper told pacman.
    package let status: Int32
    /// What kept the helper from its work.
    package let error: JSON?
    /// What became of each step of the plan, in its order.
    package var outcomes: JSON?
    /// Logs that tell more.
    package var logs: [String]?

    /// Describes an end.
    package init(time: Int, status: Int32, error: JSON? = nil, outcomes: JSON? = nil, logs: [String] = []) {
      self.time = time
      self.status = status
      self.error = error
      self.outcomes = outcomes
      self.logs = logs
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

  /// The targets that concern this suite.
  package var knownTargets: [HookTarget] { targets.compactMap(\.target) }

  /// How a call can have ended; the raw values are read by programs.
  package enum Result: String {
    /// All is as it should be.
    case well
    /// Something went wrong.
    case failed
    /// It was told to stop.
    case interrupted
    /// It was killed, or is at work.
    case unfinished
  }
}

/// Who asked for the work that a record is about; other versions may know others.
package struct Caller: RawRepresentable, Codable, Hashable, Sendable {
  /// The word in the record.
  package let rawValue: String

  /// Takes any word.
  package init(rawValue: String) { self.rawValue = rawValue }

  /// A hook of pacman's.
  package static let pacman = Caller(rawValue: "pacman")
  /// `alpm-dkms reconcile`.
  package static let reconcile = Caller(rawValue: "reconcile")
  /// `alpm-dkms initramfs`.
  package static let initramfs = Caller(rawValue: "initramfs")
  /// `alpm-dkms replay --execute`.
  package static let replay = Caller(rawValue: "replay")
}
