// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
internal import SystemPackage

/// Before a transaction: keeps a copy of each module source that is about to change or go.
///
/// Nothing is removed yet: the transaction may fail, and a new version may not build. What has gone is removed
/// after the transaction, unless this suite goes with it.
public enum RemoveHook: Hook {
  /// Keeps the sources that the targets name.
  ///
  /// - Throws: `DKMSError` where framework.conf cannot be read.
  public static func run(
    _ targets: [HookTarget], layout: Layout, host: Host
  ) async throws(DKMSError) -> Bool {
    let framework = try await Framework.read(over: layout, host: host)
    let narrator = Narrator(host.console)
    let modules = registeredModules(named: targets, framework.layout)
    if targets.contains(.suite) {
      return try await removeNow(modules, targets, framework, host, narrator)
    }
    let keeper = SourceKeeper(layout: framework.layout, host: host)
    for id in modules {
      do {
        try await keeper.keep(id)
      } catch {
        // A source that cannot be copied, for want of room say, must not stop the transaction.
        narrator.warn("\(error)")
      }
    }
    return true
  }

  private static func registeredModules(named targets: [HookTarget], _ layout: Layout) -> [ModuleID] {
    let sources = Database(root: layout.root).moduleSources(of: targets).map {
      layout.sourceTree.appending($0).string
    }
    return ModuleTree(layout).state().modules
      .filter { !$0.isBroken && sources.contains($0.source ?? "") }.map(\.id)
  }

  /// The helpers that would settle things after the transaction will be gone by then.
  private static func removeNow(
    _ modules: [ModuleID], _ targets: [HookTarget], _ framework: Framework, _ host: Host, _ narrator: Narrator
  ) async throws(DKMSError) -> Bool {
    let (layout, options) = (framework.layout, framework.options)
    let facts = await FactsReader(host: host, layout: layout, options: options).facts(
      modules: [], kernels: [])
    let releases = Set(targets.compactMap(\.kernelItself))
    let goneKernels = Set(facts.tree.modules.flatMap(\.builds).map(\.kernel))
      .filter { releases.contains($0.release) }
    let transaction = Transaction(goneModules: modules, goneKernels: Array(goneKernels))
    let plan = Planner.settle(transaction, facts: facts, options: options)
    let report = try await Executor(host: host, layout: layout, options: options)
      .execute(plan, observe: narrator.ended)
    narrator.conclude(report)
    return report.failures.isEmpty
  }
}

extension HookTarget {
  fileprivate var kernelItself: KernelRelease? {
    if case .kernel(let release) = self { release } else { nil }
  }
}
