// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// What a hook has to do: the facts that its plan is made from, and how a plan is carried out.
public struct HookWork: Sendable {
  /// What was seen.
  package let facts: RecordedFacts
  /// Carries out the plan of the facts.
  package let act: @Sendable (RecordedPlan) async throws(DKMSError) -> HookEnding

  package init(
    _ facts: RecordedFacts, act: @escaping @Sendable (RecordedPlan) async throws(DKMSError) -> HookEnding
  ) {
    self.facts = facts
    self.act = act
  }
}

/// What became of the work of a hook.
package struct HookEnding: Sendable {
  /// Whether pacman has nothing to report.
  package let isWell: Bool
  /// What became of each thing that was planned, in the order of the plan.
  package var outcomes: [Outcome] = []
}
