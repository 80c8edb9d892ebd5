// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Planner {
  /// The plan that writes modules.dep anew for kernels whose modules were changed by other means than a plan.
  public static func writeDependencies(of releases: Set<KernelRelease>) -> Plan {
    var plan = Plan()
    for release in releases.sorted(by: { $0.description < $1.description }) {
      plan.append(.depmod(release), because: .modulesChange)
    }
    return plan
  }

  /// The plan that brings back what was installed before, where depmod has failed over what came; empty where nothing is
  /// to be brought back.
  ///
  /// - Parameters:
  ///   - report: What became of the plan that changed it.
  ///   - facts: What that plan was made from.
  ///   - options: The caller's.
  /// - Returns: The plan.
  public static func rollBack(_ report: Report, facts: Facts, options: BuildOptions) -> Plan {
    var planner = Planner(facts, options: options)
    planner.plan = Plan()
    for case .depmodFailed(let release, _) in report.failures {
      for (planned, outcome) in zip(report.plan.steps, report.outcomes) where outcome.isDone {
        guard case .install(let id, let kernel) = planned.step, kernel.release == release else { continue }
        planner.bringBack(predecessorOf: id, kernel)
      }
    }
    return planner.plan
  }

  /// Installs the version that was there before this one, or takes this one out where none was.
  ///
  /// If the version was there already and was built again, the new build has replaced the old one.
  private mutating func bringBack(predecessorOf id: ModuleID, _ kernel: Kernel) {
    let predecessor = facts.tree.installedVersion(of: id.name, for: kernel)
    if predecessor == id { return }
    if let predecessor {
      var basis = basis(of: Target(id: predecessor, kernel: kernel))
      basis.overrulesKernel = true
      plan.append(.install(predecessor, kernel), because: .dependenciesFailed, basis: basis)
    } else {
      plan.append(
        .uninstall(id, kernel), because: .dependenciesFailed, basis: basis(of: Target(id: id, kernel: kernel))
      )
    }
  }
}
