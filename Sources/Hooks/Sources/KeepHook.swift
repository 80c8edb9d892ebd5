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
  private let framework: Framework
  private let host: Host

  private var layout: Layout { framework.layout }

  package init(_ call: HookCall, layout: Layout, host: Host) async throws(DKMSError) {
    targets = call.targets
    framework = try await Framework.read(over: layout, host: host)
    self.host = host
  }

  package func look() async throws(DKMSError) -> SourceFacts {
    let sources = Database(root: layout.root).moduleSources(of: targets).sorted()
    let change = SourceChange(
      tree: ModuleTree(layout).state(), sources: sources.map { layout.sourceTree.appending($0).string })
    return targets.contains(.suite) ? .removal(await removal(of: change.modules)) : .change(change)
  }

  /// What goes with the suite: the helpers that would remove it after the transaction will be gone by then.
  private func removal(of modules: [ModuleID]) async -> ModuleFacts {
    let facts = await FactsReader(host: host, layout: layout, options: framework.options).facts(
      modules: [], kernels: [])
    let releases = Set(targets.compactMap(\.kernelItself))
    let goneKernels = Set(facts.tree.modules.flatMap(\.builds).map(\.kernel))
      .filter { releases.contains($0.release) }.sorted { $0.description < $1.description }
    return ModuleFacts(
      transaction: Transaction(goneModules: modules, goneKernels: goneKernels),
      options: PlanningOptions(framework.options), facts: facts)
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
      let report = try await Executor(host: host, layout: layout, options: framework.options)
        .execute(plan, observe: narrator.ended)
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
