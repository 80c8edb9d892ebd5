// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Inspection

/// All that a helper saw and that its plan is made from.
package enum RecordedFacts: Codable, Hashable, Sendable {
  /// What modules and kernels a transaction has touched, and what there is of them.
  case modules(ModuleFacts)
  /// Which sources are about to go, and what is registered.
  case sources(SourceFacts)
  /// The images of kernels, and what there is of them.
  case images(ImageFacts)
  /// What there is of modules for kernels.
  case conditions(ConditionFacts)

  /// The plan: these facts alone make it, here and on any other machine.
  package var plan: RecordedPlan {
    switch self {
    case .modules(let facts): .modules(facts.plan)
    case .sources(let facts): .keep(facts.kept)
    case .images(let facts): .images(ImagePlan(facts))
    case .conditions(let facts): .verdicts(facts.verdicts)
    }
  }
}

/// The facts that modules are settled by.
package struct ModuleFacts: Codable, Hashable, Sendable {
  package var transaction: Transaction
  package var options: PlanningOptions
  package var facts: Facts
  /// Sources of the transaction that could not be understood.
  package var errors: [DKMSError] = []
  /// Other sources that could not be understood.
  package var warnings: [String] = []
  /// Kernels that nobody owns.
  package var orphans: [KernelRelease] = []

  package var plan: Plan {
    Planner.settle(
      transaction, installs: options.installs, facts: facts, options: options.buildOptions)
  }
}

/// The facts that sources are kept by.
package struct SourceFacts: Codable, Hashable, Sendable {
  /// What is registered.
  package var tree: TreeState
  /// The directories that change or go.
  package var sources: [String]

  /// The registered modules that have their source there.
  package var kept: [ModuleID] {
    tree.modules.filter { !$0.isBroken && sources.contains($0.source ?? "") }.map(\.id)
  }
}
