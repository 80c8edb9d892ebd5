// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
package import Host
package import SystemPackage

/// Who else than root can change what is run: looked at only where something is to be run, since sources may be large.
extension FactsReader {
  /// What others can change of what a plan would run; nil where it runs nothing.
  ///
  /// - Throws: `DKMSError.system` where a look failed.
  public func trust(for plan: Plan, in facts: Facts) throws(DKMSError) -> TrustFacts? {
    let modules = plan.modulesRun
    return modules.isEmpty ? nil : try trust(in: modules, facts, for: plan.kernels)
  }

  /// What others can change of what is run for modules.
  ///
  /// A module that is being brought in from elsewhere is copied first, and the copy is root's.
  ///
  /// - Throws: `DKMSError.system` where a look failed.
  public func trust(
    in modules: [ModuleID], _ facts: Facts, for kernels: [Kernel] = []
  ) throws(DKMSError) -> TrustFacts {
    let kernels = Set(kernels + facts.kernels.keys).sorted { $0.description < $1.description }
    return try onFiles { () throws(HostError) in
      var trust = TrustFacts(
        policy: snapshot.options.trust, common: try snapshot.commonExposures(for: kernels))
      for id in modules where facts.origin?.id != id {
        let builds = facts.tree[id]?.builds.map(\.kernel) ?? []
        let exposures = try snapshot.exposures(of: id, source: source(of: id, in: facts), kernels: builds)
        if !exposures.isEmpty { trust.modules[id] = exposures }
      }
      return trust
    }
  }
}

extension TrustFacts {
  /// What others can change of what may be run for registered modules.
  ///
  /// - Throws: `HostError` where a look failed.
  package init(of modules: [ModuleRecord], in snapshot: Snapshot) throws(HostError) {
    let kernels = Set(modules.flatMap(\.builds).map(\.kernel)).sorted { $0.description < $1.description }
    self.init(policy: snapshot.options.trust, common: try snapshot.commonExposures(for: kernels))
    for record in modules where !record.isBroken {
      let exposures = try snapshot.exposures(
        of: record.id, source: snapshot.layout.sourceLink(record.id), kernels: record.builds.map(\.kernel))
      if !exposures.isEmpty { self.modules[record.id] = exposures }
    }
  }
}

extension Plan {
  /// The modules whose builds or scripts this plan runs, or whose files it loads.
  fileprivate var modulesRun: [ModuleID] {
    var modules: [ModuleID] = []
    for step in steps.map(\.step) {
      switch step {
      case .add(let id, _), .build(let id, _), .install(let id, _), .uninstall(let id, _),
        .loadBuild(let id, _, _):
        if !modules.contains(id) { modules.append(id) }
      default: continue
      }
    }
    let copied = steps.compactMap { if case .copySource(let id, _, _) = $0.step { id } else { nil } }
    return modules.filter { !copied.contains($0) }
  }

  /// The kernels whose modules this plan changes.
  fileprivate var kernels: [Kernel] {
    steps.compactMap { planned in
      switch planned.step {
      case .build(_, let kernel), .install(_, let kernel), .uninstall(_, let kernel): kernel
      default: nil
      }
    }
  }
}

extension Layout {
  /// Whether others than root can change a file of settings.
  ///
  /// - Throws: `DKMSError.system` where a look failed.
  package func exposes(_ file: FilePath) throws(DKMSError) -> Bool {
    try onFiles { () throws(HostError) in
      var reader = TrustReader(self, BuildOptions())
      return try !reader.exposures(ofPrograms: [file]).isEmpty
    }
  }
}
