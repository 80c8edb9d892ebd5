// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What a hook has to do: the facts that its plan is made from, and how a plan is carried out.
public struct HookWork: Sendable {
  /// What was seen.
  let facts: RecordedFacts
  /// Carries out the plan of the facts.
  let act: @Sendable (RecordedPlan) async throws(DKMSError) -> HookEnding

  init(_ facts: RecordedFacts, act: @escaping @Sendable (RecordedPlan) async throws(DKMSError) -> HookEnding)
  {
    self.facts = facts
    self.act = act
  }
}

/// What became of the work of a hook.
struct HookEnding: Sendable {
  /// Whether pacman has nothing to report.
  let isWell: Bool
  /// What became of each thing that was planned, in the order of the plan.
  var outcomes: [Outcome] = []
}
