// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel

/// All that a helper saw and that its plan is made from.
enum RecordedFacts: Codable, Hashable, Sendable {
  /// What modules and kernels a transaction has touched, and what there is of them.
  case modules(ModuleFacts)
  /// Which sources are about to go, and what is registered.
  case sources(SourceFacts)
  /// The images of kernels, and what there is of them.
  case images(ImageFacts)
  /// What there is of modules for kernels.
  case conditions(ConditionFacts)

  /// The plan: these facts alone make it, here and on any other machine.
  var plan: RecordedPlan {
    switch self {
    case .modules(let facts): .modules(facts.plan)
    case .sources(let facts): .keep(facts.kept)
    case .images(let facts): .images(ImagePlan(facts))
    case .conditions(let facts): .verdicts(facts.verdicts)
    }
  }
}

/// The facts that modules are settled by.
struct ModuleFacts: Codable, Hashable, Sendable {
  var transaction: Transaction
  var options: PlanningOptions
  var facts: Facts
  /// Sources of the transaction that could not be understood.
  var errors: [DKMSError] = []
  /// Other sources that could not be understood.
  var warnings: [String] = []
  /// Kernels that nobody owns.
  var orphans: [KernelRelease] = []

  var plan: Plan {
    Planner.settle(
      transaction, installs: options.installs, facts: facts, options: options.buildOptions)
  }
}

/// The facts that sources are kept by.
struct SourceFacts: Codable, Hashable, Sendable {
  /// What is registered.
  var tree: TreeState
  /// The directories that change or go.
  var sources: [String]

  /// The registered modules that have their source there.
  var kept: [ModuleID] {
    tree.modules.filter { !$0.isBroken && sources.contains($0.source ?? "") }.map(\.id)
  }
}

/// The facts that kernels are judged by.
struct ConditionFacts: Codable, Hashable, Sendable {
  var conditions: [KernelCondition]
  var configuration: SuiteConfiguration

  var verdicts: [KernelVerdict] { conditions.map { KernelVerdict($0, by: configuration) } }
}
