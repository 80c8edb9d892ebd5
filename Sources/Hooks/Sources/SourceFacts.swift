// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel

/// What is about to happen to the sources of modules.
package enum SourceFacts: HookFacts {
  /// Some change or go, and this suite stays.
  case change(SourceChange)
  /// This suite goes, too.
  case removal(ModuleFacts)
}

/// Sources that are about to change or go.
package struct SourceChange: Codable, Hashable, Sendable {
  /// What is registered.
  package var tree: TreeState
  /// The directories that change or go.
  package var sources: [String]

  /// The registered modules that have their source there.
  package var modules: [ModuleID] {
    tree.modules.filter { !$0.isBroken && sources.contains($0.source ?? "") }.map(\.id)
  }
}

/// What is done before sources change or go.
package enum SourcePlan: HookPlan {
  /// These modules' sources are kept.
  case keep([ModuleID])
  /// The modules go at once.
  case remove(Plan)
}

// MARK: Words

extension SourceFacts {
  package var words: [String] {
    switch self {
    case .change(let change): change.sources.map { "source \($0)" } + change.tree.words
    case .removal(let facts): facts.words
    }
  }

  package var sourceDirectories: [ModuleID: String] {
    switch self {
    case .change(let change): change.tree.sourceDirectories
    case .removal(let facts): facts.sourceDirectories
    }
  }
}

extension SourcePlan {
  package var words: [String] {
    switch self {
    case .keep(let modules): modules.map { "\($0): its source would be kept (it changes or goes)" }
    case .remove(let plan): plan.words
    }
  }

  package func words(_ outcomes: [Outcome]) -> [String] {
    switch self {
    case .keep: zip(words, outcomes).map { "\($0): \($1.words)" }
    case .remove(let plan): plan.words(outcomes)
    }
  }

  package func summary(_ outcomes: [Outcome]?) -> String {
    switch self {
    case .keep(let modules):
      modules.isEmpty
        ? "no source to keep" : "sources kept: \(modules.map(\.description).joined(separator: ", "))"
    case .remove(let plan): plan.summary(outcomes)
    }
  }
}
