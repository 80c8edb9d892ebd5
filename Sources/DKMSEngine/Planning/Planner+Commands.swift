// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Planner {
  /// The plan of `dkms add`.
  public static func add(_ id: ModuleID, facts: Facts, options: BuildOptions) -> Plan {
    var planner = Planner(facts, options: options)
    if facts.origin?.id == id {
      return planner.finish()
    } else if let record = facts.tree[id], !record.isBroken {
      planner.block(id, nil, .alreadyAdded(id))
    } else {
      planner.add(id, because: .requested)
    }
    return planner.finish()
  }

  /// The plan of `dkms build`.
  public static func build(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    for kernel in kernels where planner.adds[id] != .blocked {
      if !options.isForced, facts.tree[id]?.build(for: kernel) != nil {
        planner.plan.skip(Skip(id, kernel, .upToDate))
      } else {
        planner.build(id, kernel, because: .requested, rebuild: options.isForced)
      }
    }
    return planner.finish()
  }

  /// The plan of `dkms install`.
  public static func install(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    // A build from another source is not what was asked for.
    let bringsSource = facts.origin?.holdsOnlyBuilds == false
    for kernel in kernels where planner.adds[id] != .blocked {
      planner.install(id, kernel, because: .requested, reinstall: options.isForced, rebuild: bringsSource)
    }
    return planner.finish()
  }

  /// The plan of `dkms autoinstall`: the newest version of each module that wants it.
  public static func autoinstall(for kernels: [Kernel], facts: Facts, options: BuildOptions) -> Plan {
    var planner = Planner(facts, options: options)
    for id in facts.tree.modules.map(\.id) {
      if let error = planner.obstacles.registration(of: id) { planner.block(id, nil, error) }
    }
    for kernel in kernels {
      planner.bringUpToDate(facts.tree.newestVersions, for: kernel) { _ in nil }
    }
    return planner.finish()
  }

  /// The plan of `dkms uninstall`, for one kernel or several.
  public static func uninstall(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions
  ) -> Plan {
    undo(id, for: kernels, facts: facts, options: options) { planner, kernel in
      _ = planner.uninstall(id, kernel, because: .requested)
    }
  }

  /// The plan of `dkms unbuild`.
  public static func unbuild(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions
  ) -> Plan {
    undo(id, for: kernels, facts: facts, options: options) { planner, kernel in
      let uninstalled = planner.uninstall(id, kernel, because: .requested)
      _ = planner.unbuild(id, kernel, because: .requested, requires: uninstalled)
    }
  }

  /// The plan of `dkms remove`: the module is forgotten, too, once no build of it is left.
  public static func remove(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    guard let record = facts.tree[id] else {
      planner.block(id, nil, .notAdded(id))
      return planner.finish()
    }
    var steps: [Int] = []
    for kernel in kernels {
      let uninstalled = planner.uninstall(id, kernel, because: .requested)
      steps += planner.unbuild(id, kernel, because: .requested, requires: uninstalled)
    }
    if record.builds.allSatisfy({ kernels.contains($0.kernel) }) {
      planner.plan.append(.unregister(id), because: .requested, requires: steps)
    }
    return planner.finish(named: .init(modules: [id]))
  }

  /// The plan of `dkms generate_mok`: empty where key and certificate are there.
  ///
  /// - Throws: `DKMSError.keysUnavailable` where there is only a key.
  public static func makeKeys(for kernel: Kernel, facts: Facts) throws(DKMSError) -> Plan {
    var plan = Plan()
    guard let signing = facts.kernels[kernel]?.signing,
      let problem = SigningProblem(signing.keys, signing.state)
    else { return plan }
    guard signing.state.mayBeMade else { throw .keysUnavailable(problem) }
    plan.append(.makeKeys(signing.keys), because: .requested)
    return plan
  }

  private static func undo(
    _ id: ModuleID, for kernels: [Kernel], facts: Facts, options: BuildOptions,
    _ body: (inout Planner, Kernel) -> Void
  ) -> Plan {
    var planner = Planner(facts, options: options)
    guard facts.tree[id] != nil else {
      planner.block(id, nil, .notAdded(id))
      return planner.finish()
    }
    for kernel in kernels { body(&planner, kernel) }
    return planner.finish(named: .init(modules: [id]))
  }

  /// Installs modules for a kernel, each after those that it needs.
  ///
  /// - Parameters:
  ///   - modules: The modules; one whose conf does not set AUTOINSTALL is passed over.
  ///   - kernel: The kernel.
  ///   - change: Why modules are rebuilt even if they are installed; nil to leave those alone.
  mutating func bringUpToDate(
    _ modules: [ModuleID], for kernel: Kernel, rebuildingBecause change: (ModuleID) -> Reason?
  ) {
    var wanted: [Goal] = []
    for id in modules {
      if case .read(let configuration) = facts.configurations[id]?[kernel], !configuration.autoinstall {
        plan.skip(Skip(id, kernel, .notAutoinstalled))
        continue
      }
      let reason = change(id)
      wanted.append(Goal(id: id, reason: reason ?? .notInstalled, redo: reason != nil))
    }
    goals = Dictionary(wanted.map { ($0.id.name, $0) }) { first, _ in first }
    for goal in wanted {
      install(goal.id, kernel, because: goal.reason, reinstall: goal.redo, rebuild: goal.redo)
    }
    goals = [:]
  }
}

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
    return planner.finish(named: .init(kernels: [kernel.release]))
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
