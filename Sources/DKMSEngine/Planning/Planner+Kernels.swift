// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Planner {
  /// The plan of `dkms match`: what another kernel has installed, for this one.
  public static func match(
    _ modules: [ModuleID], for kernel: Kernel, facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    planner.goals = Dictionary(
      modules.map { ($0.name, Goal(id: $0, reason: .matched, redo: options.isForced)) }
    ) { first, _ in first }
    for id in modules {
      planner.install(id, kernel, because: .matched, reinstall: options.isForced, rebuild: options.isForced)
    }
    return planner.finish()
  }

  /// The plan of `dkms kernel_preinst` and `kernel_prerm`: forgets what was built for a kernel.
  ///
  /// With `onlyAutoinstalled`, builds that autoinstall would not make again are kept.
  public static func clear(
    _ modules: [ModuleID], of kernel: Kernel, onlyAutoinstalled: Bool, facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    for id in modules where !onlyAutoinstalled || planner.isAutoinstalled(id, kernel) {
      let uninstalled = planner.uninstall(id, kernel, because: .requested)
      _ = planner.unbuild(id, kernel, because: .requested, requires: uninstalled)
    }
    return planner.finish()
  }

  /// Whether autoinstall would build it again; the plan says why not.
  private mutating func isAutoinstalled(_ id: ModuleID, _ kernel: Kernel) -> Bool {
    if let error = obstacles.registration(of: id) {
      block(id, kernel, error)
      return false
    }
    switch facts.configurations[id]?[kernel] {
    case .read(let configuration) where configuration.autoinstall: return true
    case .unreadable(let error): block(id, kernel, error)
    case .read, nil: plan.skip(Skip(id, kernel, .notAutoinstalled))
    }
    return false
  }
}
