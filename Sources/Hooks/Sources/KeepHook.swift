// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Inspection
internal import SystemPackage

/// Before a transaction, as `alpm-dkms-remove`: keeps a copy of each module source that is about to change or go.
///
/// Nothing is removed yet: the transaction may fail, and a new version may not build. What has gone is removed
/// after the transaction, unless this suite goes with it.
package struct KeepHook: Hook {
  package static let kind = HelperKind.remove

  private let targets: [HookTarget]
  private let snapshot: Snapshot

  private var layout: Layout { snapshot.layout }
  private var host: Host { snapshot.host }

  package init(_ call: HookCall, layout: Layout, host: Host) async throws(DKMSError) {
    targets = call.targets
    snapshot = try await Settings.read(over: layout, host: host).framework.snapshot(on: host)
  }

  package func look() async throws(DKMSError) -> SourceFacts {
    let sources = Database(root: layout.root).moduleSources(of: targets).sorted()
    let tree = try onFiles { () throws(HostError) in try snapshot.tree() }
    let change = SourceChange(
      tree: tree, sources: sources.map { layout.sourceTree.appending($0).string })
    return targets.contains(.suite) ? .removal(try await removal(of: change.modules)) : .change(change)
  }

  /// What is removed with the suite: the helpers that would do so after the transaction will be gone by then.
  private func removal(of modules: [ModuleID]) async throws(DKMSError) -> ModuleFacts {
    let tree = try onFiles { () throws(HostError) in try snapshot.tree() }
    let built = Set(tree.modules.flatMap(\.builds).map(\.kernel)).sorted { $0.description < $1.description }
    let releases = Set(targets.compactMap(\.kernelItself))
    let goneKernels = built.filter { releases.contains($0.release) }
    let registered = tree.modules.filter { !$0.builds.isEmpty }.map(\.id)
    let reader = FactsReader(snapshot)
    let facts = try await reader.facts(
      FactsReader.Request(modules: registered, kernels: [], clearedKernels: built))
    var moduleFacts = ModuleFacts(
      transaction: Transaction(goneModules: modules, goneKernels: goneKernels),
      options: PlanningOptions(snapshot.options), facts: facts)
    moduleFacts.facts.trust = try reader.trust(for: moduleFacts.plan, in: facts)
    return moduleFacts
  }

  package static func plan(_ facts: SourceFacts) -> SourcePlan {
    switch facts {
    case .change(let change): .keep(change.modules)
    case .removal(let facts): .remove(facts.plan)
    }
  }

  package func carryOut(_ plan: SourcePlan, from facts: SourceFacts) async throws(DKMSError) -> HookEnding {
    switch plan {
    case .keep(let modules): return HookEnding(isWell: true, outcomes: await keep(modules))
    case .remove(let plan):
      let narrator = Narrator(host.console)
      let report = try await Executor(snapshot).execute(plan, observe: narrator.ended)
      narrator.conclude(report)
      return HookEnding(isWell: report.failures.isEmpty, outcomes: report.outcomes)
    }
  }

  private func keep(_ modules: [ModuleID]) async -> [Outcome] {
    let keeper = SourceKeeper(layout: layout, host: host)
    var outcomes: [Outcome] = []
    for id in modules {
      do {
        try await keeper.keep(id)
        outcomes.append(.done(warnings: []))
      } catch {
        // A source that cannot be copied, for want of room say, must not stop the transaction.
        Narrator(host.console).warn("\(error)")
        outcomes.append(.failed(error))
      }
    }
    return outcomes
  }
}

extension HookTarget {
  fileprivate var kernelItself: KernelRelease? {
    if case .kernel(let release) = self { release } else { nil }
  }
}

/// What is about to happen to the sources of modules.
package enum SourceFacts: HookFacts {
  /// Some change or go, and this suite stays.
  case change(SourceChange)
  /// This suite goes, too.
  case removal(ModuleFacts)

  /// What is removed with the suite.
  package var removal: ModuleFacts? { if case .removal(let facts) = self { facts } else { nil } }
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
