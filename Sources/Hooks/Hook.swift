// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Inspection
package import JSON
package import Journal

/// A helper that pacman starts: recover, look, plan, record, carry out.
///
/// Only `recover` and `carryOut` change anything or say anything. What was seen and decided is in the journal before it
/// is carried out.
package protocol Hook: Sendable {
  /// What it sees.
  associatedtype Facts: HookFacts
  /// What it decides to do.
  associatedtype Plan: HookPlan

  /// Which helper it is.
  static var kind: HelperKind { get }

  /// Whether there is anything to do at all; where there is not, the call leaves no record.
  ///
  /// - Throws: `DKMSError` where the hook file asks for something that does not exist.
  static func concerns(_ call: HookCall, layout: Layout, host: Host) throws(DKMSError) -> Bool

  /// Gets ready to look.
  ///
  /// - Parameters:
  ///   - call: What is asked for.
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  /// - Throws: `DKMSError` where framework.conf cannot be read.
  init(_ call: HookCall, layout: Layout, host: Host) async throws(DKMSError)

  /// Keeps others away from before `recover` until after `carryOut`.
  ///
  /// - Throws: `DKMSError` where another run cannot be waited for.
  func lock() async throws(DKMSError) -> DirectoryLock?

  /// Finishes, or clears away, what killed runs began.
  ///
  /// - Returns: Whether that went well; what went wrong has been said.
  func recover() async throws(DKMSError) -> Bool

  /// Finds out what there is; changes nothing and says nothing.
  ///
  /// - Throws: `DKMSError` where that cannot be found out.
  func look() async throws(DKMSError) -> Facts

  /// Decides from facts alone, with the same result on any machine.
  static func plan(_ facts: Facts) -> Plan

  /// Does what was decided, and reports what the facts call for.
  ///
  /// - Throws: `DKMSError` where nothing of it can be done.
  func carryOut(_ plan: Plan, from facts: Facts) async throws(DKMSError) -> HookEnding
}

extension Hook {
  package static func concerns(_ call: HookCall, layout: Layout, host: Host) -> Bool { true }

  package func lock() -> DirectoryLock? { nil }

  package func recover() -> Bool { true }
}

/// What a helper is asked to do.
package struct HookCall: Hashable, Sendable {
  /// What a transaction touches.
  package var targets: [HookTarget]
  /// What the hook file says after the program's name.
  package var arguments: [String] = []
}

/// What became of the work of a hook.
package struct HookEnding: Sendable {
  /// Whether pacman has nothing to report.
  package let isWell: Bool
  /// What became of each thing that was planned, in the order of the plan.
  package var outcomes: [Outcome] = []
}

/// What a hook saw, as records, replays and reports take it.
package protocol HookFacts: Codable, Hashable, Sendable {
  /// What was seen, for people.
  var words: [String] { get }
  /// Where the sources of modules are.
  var sourceDirectories: [ModuleID: String] { get }
}

/// What a hook decided, as records, replays and reports take it.
package protocol HookPlan: Codable, Hashable, Sendable {
  /// One line for each thing, with its reason.
  var words: [String] { get }
  /// The same with what became of each thing.
  func words(_ outcomes: [Outcome]) -> [String]
  /// What a later call has to be told, beside the targets of this one, to finish what this plan has begun.
  var unfinishedTargets: [HookTarget] { get }
  /// What was done, in half a line; without outcomes, what was planned.
  func summary(_ outcomes: [Outcome]?) -> String
}

extension HookFacts {
  /// The facts as a record has them.
  package var json: JSON { JSON(encoding: self) }

  package var sourceDirectories: [ModuleID: String] { [:] }
}

extension HookPlan {
  package var unfinishedTargets: [HookTarget] { [] }

  /// The plan as a record has it.
  package var json: JSON { JSON(encoding: self) }
}

/// What came of a call of a helper.
package struct HookResult: Sendable {
  /// What the helper tells pacman: 0 where all is well.
  package let status: Int32
  /// What it saw, planned and did; nil where nothing concerned it, or where it was not allowed to begin.
  package var record: JournalRecord?
}

extension [HookResult] {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static var schema: Int { 2 }

  /// The status of the first call that did not go well; 0 where all did.
  package var status: Int32 { map(\.status).first { $0 != 0 } ?? 0 }

  /// What programs get of calls; more members may precede the calls.
  package func json(_ members: [JSON.Member] = []) -> JSON {
    .document(
      schema: Self.schema,
      [.init("status", .number(Int(status)))] + members
        + [.init("calls", .array(compactMap(\.record).map { JSON(encoding: $0) }))])
  }
}
