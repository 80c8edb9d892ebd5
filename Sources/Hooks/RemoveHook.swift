// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
internal import Inspection
internal import SystemPackage

/// Before a transaction: keeps a copy of each module source that is about to change or go.
///
/// Nothing is removed yet: the transaction may fail, and a new version may not build. What has gone is removed
/// after the transaction, unless this suite goes with it.
public enum RemoveHook: Hook {
  /// Which helper it is.
  public static let kind = HelperKind.remove

  /// Finds out whose sources are about to change or go.
  ///
  /// - Throws: `DKMSError` where framework.conf cannot be read.
  public static func prepare(
    _ targets: [HookTarget], to purpose: HookPurpose, layout: Layout, host: Host
  ) async throws(DKMSError) -> HookWork {
    let framework = try await Framework.read(over: layout, host: host)
    let layout = framework.layout
    let sources = Database(root: layout.root).moduleSources(of: targets).sorted()
    let facts = SourceFacts(
      tree: ModuleTree(layout).state(), sources: sources.map { layout.sourceTree.appending($0).string })
    if targets.contains(.suite) { return await removal(of: facts.kept, targets, framework, host) }
    return HookWork(.sources(facts)) { plan in
      guard case .keep(let modules) = plan else { return HookEnding(isWell: true) }
      return HookEnding(isWell: true, outcomes: await keep(modules, layout, host))
    }
  }

  private static func keep(_ modules: [ModuleID], _ layout: Layout, _ host: Host) async -> [Outcome] {
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

  /// The helpers that would settle things after the transaction will be gone by then.
  private static func removal(
    of modules: [ModuleID], _ targets: [HookTarget], _ framework: Framework, _ host: Host
  ) async -> HookWork {
    let (layout, options) = (framework.layout, framework.options)
    let facts = await FactsReader(host: host, layout: layout, options: options).facts(
      modules: [], kernels: [])
    let releases = Set(targets.compactMap(\.kernelItself))
    let goneKernels = Set(facts.tree.modules.flatMap(\.builds).map(\.kernel))
      .filter { releases.contains($0.release) }.sorted { $0.description < $1.description }
    let matter = ModuleFacts(
      transaction: Transaction(goneModules: modules, goneKernels: goneKernels),
      options: PlanningOptions(options), facts: facts)
    return HookWork(.modules(matter)) { plan throws(DKMSError) in
      guard case .modules(let plan) = plan else { return HookEnding(isWell: true) }
      let narrator = Narrator(host.console)
      let report = try await Executor(host: host, layout: layout, options: options)
        .execute(plan, observe: narrator.ended)
      narrator.conclude(report)
      return HookEnding(isWell: report.failures.isEmpty, outcomes: report.outcomes)
    }
  }
}

extension HookTarget {
  fileprivate var kernelItself: KernelRelease? {
    if case .kernel(let release) = self { release } else { nil }
  }
}
