// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Planner {
  /// The plan that follows a package transaction.
  ///
  /// For each kernel, a version stays until the one that replaces it is installed there. Without `installs`
  /// nothing is installed, but modules whose source is gone are still removed.
  public static func follow(
    _ transaction: Transaction, installs: Bool = true, facts: Facts, options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    let wanted = planner.wantedVersions(after: transaction)
    for id in transaction.changedModules { planner.add(id, because: .sourceChanged) }
    let unchanged = wanted.filter { !transaction.changedModules.contains($0) }
    for kernel in transaction.installedKernels { planner.restoreRecords(of: unchanged, for: kernel) }
    if !transaction.changedKernels.isEmpty {
      for id in unchanged where facts.tree[id] == nil { planner.add(id, because: .recordLost) }
    }
    for kernel in transaction.installedKernels where installs {
      planner.install(wanted, for: kernel, after: transaction)
    }
    for record in facts.tree.modules {
      if record.usesKeptSource || transaction.goneModules.contains(record.id) {
        planner.retire(
          record, inFavourOf: planner.successor(of: record, among: wanted, after: transaction),
          after: transaction)
      } else {
        planner.forgetGoneKernels(record, after: transaction)
      }
    }
    for kernel in transaction.keptKernels { planner.keep(kernel) }
    // What has only a kept source was named by the transaction that took its own.
    let kept = facts.tree.modules.filter(\.usesKeptSource).map(\.id)
    let installed = Set(facts.kernels.filter(\.value.exists).map(\.key))
    return planner.finish(
      goneKernels: transaction.goneKernels,
      named: .init(
        modules: Set(transaction.goneModules + kept),
        kernels: Set(transaction.goneKernels.filter { !installed.contains($0) }.map(\.release))))
  }

  /// The newest version of each module whose source is there.
  private func wantedVersions(after transaction: Transaction) -> [ModuleID] {
    var records = facts.tree.modules.filter { record in
      !record.usesKeptSource && !transaction.goneModules.contains(record.id)
    }
    // A broken link is fixed where the source is there again, so that version is wanted too.
    for index in records.indices where facts.sources[records[index].id] != nil {
      records[index].isBroken = false
    }
    let registered = Set(facts.tree.modules.map(\.id))
    records += facts.sources.filter { !registered.contains($0.key) }
      .map { ModuleRecord(id: $0.key, source: $0.value) }
      .sorted { $0.id.description < $1.id.description }
    for var record in facts.tree.modules
    where record.usesKeptSource && transaction.changedModules.contains(record.id) {
      record.usesKeptSource = false
      records.append(record)
    }
    return TreeState(modules: records).newestVersions
  }

  private mutating func install(_ wanted: [ModuleID], for kernel: Kernel, after transaction: Transaction) {
    let wishes = wanted.compactMap { id in
      wish(for: id, kernel, after: transaction).map { (id: id, wish: $0) }
    }
    let reasons = Dictionary(wishes.map { ($0.id, $0.wish) }) { first, _ in first }
    bringUpToDate(wishes.map(\.id), for: kernel) { id in
      switch reasons[id] {
      case .rebuild(let reason): reason
      case .leftOut: .leftUndone
      case .install, nil: nil
      }
    }
  }

  /// What a transaction asks for a module and a kernel.
  private enum Wish {
    /// Build and install it anew, whatever stands.
    case rebuild(Reason)
    /// Install it if it is not.
    case install
    /// Install what an earlier transaction should have installed.
    case leftOut
  }

  private func wish(for id: ModuleID, _ kernel: Kernel, after transaction: Transaction) -> Wish? {
    if transaction.changedModules.contains(id) { return .rebuild(.sourceChanged) }
    let build = facts.tree[id]?.build(for: kernel)
    let isForAnotherKernel = build.flatMap(facts.isForAnotherKernel)
    if isForAnotherKernel == true { return .rebuild(.kernelChanged) }
    if transaction.changedKernels.contains(kernel) {
      return isForAnotherKernel == false ? .install : .rebuild(.kernelChanged)
    }
    let isInstalled = build?.isInstalled == true
    let installIfMissing: Wish? = isInstalled ? nil : .install
    if transaction.goneModules.contains(where: { $0.name == id.name }) { return installIfMissing }
    if wasLeftOut(id, kernel, by: transaction) { return build == nil ? .leftOut : .install }
    guard case .read(let configuration)? = facts.configurations[id]?[kernel],
      let change = transaction.changedModules.first(where: { configuration.buildDepends.contains($0.name) })
    else { return nil }
    return configuration.rebuildsWithDependencies ? .rebuild(.dependencyChanged(change)) : installIfMissing
  }

  /// Whether a kernel could have a module but no attempt was made, because a transaction was interrupted, or an
  /// attempt failed and this transaction may have brought what it failed for.
  private func wasLeftOut(_ id: ModuleID, _ kernel: Kernel, by transaction: Transaction) -> Bool {
    guard case .read(let configuration)? = facts.configurations[id]?[kernel], configuration.autoinstall,
      configuration.exclusion == nil, facts.kernels[kernel]?.hasHeaders == true,
      facts.tree.installedVersion(of: id.name, for: kernel) == nil
    else { return false }
    let isUntried =
      facts.tree[id]?.build(for: kernel) == nil
      ? facts.failedBuilds[id]?.contains(kernel) != true || transaction.changesSuite
      : facts.failedInstallations[id]?.contains(kernel) == true && transaction.changesSuite
    let registered = Set(facts.tree.modules.map(\.id.name))
    return isUntried && configuration.buildDepends.allSatisfy(registered.contains)
  }

  /// What takes the place of a version that has lost its source: a version of the same name, or a module of
  /// another name that brings the same kernel modules in the same transaction, as a package does that
  /// replaces another.
  private func successor(
    of record: ModuleRecord, among wanted: [ModuleID], after transaction: Transaction
  ) -> ModuleID? {
    if let same = wanted.first(where: { $0.name == record.id.name }) { return same }
    // The transaction that replaced the last good one is over.
    let candidates = record.usesKeptSource ? wanted : wanted.filter(transaction.changedModules.contains)
    let names = facts.productNames[record.id] ?? []
    return candidates.first { id in
      record.builds.contains { build in
        guard case .read(let configuration)? = facts.configurations[id]?[build.kernel] else { return false }
        return configuration.modules.contains { names.contains($0.destinationName) }
      }
    }
  }

  /// Removes a version that has lost its source, except where it is the last good one.
  private mutating func retire(
    _ record: ModuleRecord, inFavourOf successor: ModuleID?, after transaction: Transaction
  ) {
    if successor == record.id {
      if facts.keptSources[record.id] != nil {
        let relinked = add(record.id, because: .sourceChanged).required
        plan.append(.discardKeptSource(record.id), because: .sourceChanged, requires: relinked)
      }
      return
    }
    if successor == nil, !transaction.unreadSources.isEmpty, record.builds.contains(where: \.isInstalled) {
      return waitForSuccessor(of: record)
    }
    var removals: [Int] = []
    if let successor, !record.usesKeptSource, let kept = facts.keptSources[record.id], !record.builds.isEmpty
    {
      // After the registration is gone, a link would bring it back.
      removals.append(plan.append(.relink(record.id, source: kept), because: .replaced(by: successor)))
    }
    var stays = false
    for build in record.builds {
      if let successor, mustStay(build, of: record, inFavourOf: successor, after: transaction) {
        switch installed(successor, build.kernel) {
        case .planned(let step):
          removals += giveWay(record.id, build.kernel, to: successor, installedBy: step)
        case .stands, .blocked:
          plan.skip(Skip(record.id, build.kernel, .lastGood))
          stays = true
        }
      } else {
        let reason = successor.map { Reason.replaced(by: $0) } ?? .sourceGone
        let uninstalled = uninstall(record.id, build.kernel, because: reason)
        removals += unbuild(record.id, build.kernel, because: reason, requires: uninstalled)
      }
    }
    if !stays {
      let reason = successor.map { Reason.replaced(by: $0) } ?? .sourceGone
      plan.append(.unregister(record.id), because: reason, requires: removals)
    }
  }

  /// Keeps a version whose successor may be a source that cannot be understood yet.
  private mutating func waitForSuccessor(of record: ModuleRecord) {
    if !record.usesKeptSource, let kept = facts.keptSources[record.id] {
      plan.append(.relink(record.id, source: kept), because: .sourceGone)
    }
    for build in record.builds where build.isInstalled {
      plan.skip(Skip(record.id, build.kernel, .lastGood))
    }
  }

  /// Whether a kernel has only this build as long as the successor is not installed.
  private func mustStay(
    _ build: BuildRecord, of record: ModuleRecord, inFavourOf successor: ModuleID,
    after transaction: Transaction
  ) -> Bool {
    // A successor under another name has its own link, so the links allow both to be installed.
    let isOtherInstalled =
      successor.name != record.id.name && facts.tree[successor]?.build(for: build.kernel)?.isInstalled == true
    return build.isInstalled && !transaction.goneKernels.contains(build.kernel) && !isOtherInstalled
  }

  /// Forgets a build once its successor is installed.
  ///
  /// A successor of the same name has already taken over the link.
  private mutating func giveWay(
    _ id: ModuleID, _ kernel: Kernel, to successor: ModuleID, installedBy step: Int
  ) -> [Int] {
    let reason = Reason.replaced(by: successor)
    let uninstalled =
      successor.name == id.name ? [step] : uninstall(id, kernel, because: reason, requires: [step])
    return unbuild(id, kernel, because: reason, requires: uninstalled)
  }

  private mutating func forgetGoneKernels(_ record: ModuleRecord, after transaction: Transaction) {
    for build in record.builds where transaction.goneKernels.contains(build.kernel) {
      let uninstalled = uninstall(record.id, build.kernel, because: .kernelGone)
      _ = unbuild(record.id, build.kernel, because: .kernelGone, requires: uninstalled)
    }
    if facts.keptSources[record.id] != nil, facts.sources[record.id] != nil {
      plan.append(
        .discardKeptSource(record.id), because: .sourceChanged, after: plan.stepsBringing(record.id))
    }
  }
}

extension Plan {
  /// The steps that build or install a module.
  fileprivate func stepsBringing(_ id: ModuleID) -> [Int] {
    steps.indices.filter { index in
      switch steps[index].step {
      case .build(id, _), .install(id, _): true
      default: false
      }
    }
  }
}
