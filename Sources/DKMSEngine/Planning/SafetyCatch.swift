// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// The last look at a plan: whether it takes from an installed kernel what nothing has named.
///
/// No correct plan does. If a mistake in the facts or in the planner makes one that does, nothing is done: a
/// kernel with an old module is better than one with none.
public struct SafetyCatch {
  private let facts: Facts
  private let named: Named

  /// What a call or a transaction names.
  public struct Named: Hashable, Sendable {
    /// The modules that may go.
    public var modules: Set<ModuleID>
    /// The kernels that may go, or lose all their modules.
    public var kernels: Set<KernelRelease>

    /// Names modules and kernels; by default none.
    public init(modules: Set<ModuleID> = [], kernels: Set<KernelRelease> = []) {
      self.modules = modules
      self.kernels = kernels
    }
  }

  /// Judges plans that were made from these facts.
  public init(_ facts: Facts, named: Named) {
    self.facts = facts
    self.named = named
  }

  /// The plan itself, or one that does nothing and says why.
  public func checked(_ plan: Plan) -> Plan {
    let harm = harm(of: plan)
    guard let subject = plan.steps.lazy.compactMap(\.step.takenModule).first ?? facts.tree.modules.first?.id,
      !harm.isEmpty
    else { return plan }
    var nothing = Plan()
    for error in harm {
      let id = if case .removalUnasked(_, let modules) = error { modules.first ?? subject } else { subject }
      nothing.skip(Skip(id, nil, .obstacle(error)))
    }
    return nothing
  }

  /// What it takes away though nothing names it, an error for each kernel.
  public func harm(of plan: Plan) -> [DKMSError] {
    let installed = facts.kernels.filter(\.value.exists).map(\.key)
      .sorted { $0.description < $1.description }
    return installed.compactMap { kernel in
      let release = kernel.release
      guard !named.kernels.contains(release) else { return nil }
      if plan.steps.contains(where: { $0.step == .depmod(release) && $0.reason == .kernelGone }) {
        return .removalUnasked(release, modules: [])
      }
      let unnamed = lastModules(of: kernel, takenBy: plan).filter { !named.modules.contains($0) }
      return unnamed.isEmpty ? nil : .removalUnasked(release, modules: unnamed)
    }
  }

  /// The modules that a plan takes from a kernel, where it leaves it none.
  private func lastModules(of kernel: Kernel, takenBy plan: Plan) -> [ModuleID] {
    let before = facts.tree.modules.filter { $0.build(for: kernel)?.isInstalled == true }.map(\.id)
    var taken: Set<ModuleID> = []
    for planned in plan.steps {
      switch planned.step {
      case .install(_, kernel): return []
      case .uninstall(let id, kernel), .unbuild(let id, kernel): taken.insert(id)
      default: continue
      }
    }
    return before.allSatisfy(taken.contains) ? before : []
  }
}

extension Step {
  fileprivate var takenModule: ModuleID? {
    switch self {
    case .uninstall(let id, _), .unbuild(let id, _): id
    default: nil
    }
  }
}
