// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import SystemPackage

/// Finds out, after the fact, what a package transaction did: from pacman's targets, the database and the disk.
///
/// The only things kept from before the transaction do no harm if the transaction fails.
package struct TransactionReader {
  private let host: Host
  private let layout: Layout
  private let snapshot: Snapshot
  private let tree: TreeState

  /// Reads from a snapshot.
  ///
  /// - Throws: `HostError` where it cannot be told what is registered.
  package init(_ snapshot: Snapshot) throws(HostError) {
    self.snapshot = snapshot
    host = snapshot.host
    layout = snapshot.layout
    tree = try snapshot.tree()
  }

  /// What was found.
  package struct Findings {
    package var transaction = Transaction()
    /// Where the sources of modules are that are not registered.
    package var sources: [ModuleID: String] = [:]
    /// Sources of this transaction that could not be understood.
    package var errors: [DKMSError] = []
    /// What could not be understood but has nothing to do with this transaction.
    package var warnings: [String] = []
    /// Why kernels count as installed though no package is known to own them.
    package var doubts: [DKMSError] = []
    /// Kernels that nobody owns and nothing is built for.
    package var orphans: [KernelRelease] = []
    /// The packages that own each kernel.
    package var kernelOwners: [KernelRelease: String] = [:]
    /// Every registered module whose source is there.
    package var registered: [ModuleID] = []

    /// The modules that a plan may have to build, those that need a changed one among them, and those that it
    /// removes, whose scripts run once more.
    package var concernedModules: [ModuleID] {
      Set(registered + sources.keys + transaction.goneModules).sorted { $0.description < $1.description }
    }
  }

  /// What targets tell, with what is there.
  ///
  /// - Throws: `HostError` where a look failed that decides what came and went.
  package func findings(
    _ targets: [HookTarget], _ database: borrowing Database
  ) async throws(HostError) -> Findings {
    let (named, mayHaveLostKernels) = resolve(targets, database)
    let installed = try InstalledKernels(snapshot, database)
    var findings = Findings()
    findings.orphans = installed.orphans
    findings.doubts = installed.doubts
    findings.registered = tree.modules.filter { !$0.isBroken }.map(\.id)
    findings.transaction.installedKernels = installed.releases.compactMap(kernel)
    findings.transaction.changedKernels = try changedKernels(named, findings.transaction.installedKernels)
    let absent = try absentKernels(named, installed, mayHaveLostKernels)
    findings.transaction.keptKernels = absent.filter(isRunning)
    findings.transaction.goneKernels = absent.filter { !isRunning($0) }
    findings.kernelOwners = installed.owners
    findings.transaction.changesSuite = named.contains(.suite)
    try await readSources(named, &findings)
    findings.transaction.goneModules = try goneModules(named, findings)
    return findings
  }

  /// Packages become the targets among their files.
  ///
  /// What a package owned before is not known: if it is gone, or is a kernel's, an old kernel may be gone.
  private func resolve(
    _ targets: [HookTarget], _ database: borrowing Database
  ) -> (targets: Set<HookTarget>, mayHaveLostKernels: Bool) {
    var named: Set<HookTarget> = []
    var mayHaveLostKernels = false
    for target in targets {
      guard case .package(let package) = target else {
        named.insert(target)
        continue
      }
      if let files = database.files(of: package) {
        let targets = files.compactMap(HookTarget.init(line:)).filter(\.isPath)
        named.formUnion(targets)
        if targets.contains(where: \.isOfKernel) { mayHaveLostKernels = true }
      } else {
        mayHaveLostKernels = true
      }
    }
    return (named, mayHaveLostKernels)
  }

  // MARK: Kernels

  private func kernel(_ release: KernelRelease) -> Kernel? {
    try? Kernel(release: release, architecture: host.architecture)
  }

  private func changedKernels(
    _ named: Set<HookTarget>, _ installed: [Kernel]
  ) throws(HostError) -> [Kernel] {
    try installed.where { kernel throws(HostError) in
      if named.contains(.kernel(kernel.release)) { return true }
      guard named.contains(.headers(kernel.release)) else { return false }
      return try Files.isDirectory(layout.kernel(kernel.release).appending("build/include"))
    }
  }

  /// Kernels that something is built for, and that are not there any more by this transaction or an earlier one.
  private func absentKernels(
    _ named: Set<HookTarget>, _ installed: InstalledKernels, _ mayHaveLostKernels: Bool
  ) throws(HostError) -> [Kernel] {
    let known = Set(installed.releases + installed.orphans)
    let recorded = Set(try BootRecords(layout).all().map(\.release))
    let built = Set(tree.modules.flatMap(\.builds).map(\.kernel))
    return built.filter { kernel in
      let release = kernel.release
      let isNamed = named.contains(.kernel(release)) || named.contains(.headers(release))
      return !known.contains(release) && (isNamed || mayHaveLostKernels || recorded.contains(release))
    }.sorted { $0.description < $1.description }
  }

  /// Whether it is the kernel of this boot; one that was kept in an earlier boot may run again, reinstalled or not.
  private func isRunning(_ kernel: Kernel) -> Bool { kernel.release.description == host.runningRelease }

  // MARK: Modules

  private func goneModules(
    _ named: Set<HookTarget>, _ findings: Findings
  ) throws(HostError) -> [ModuleID] {
    let packaged =
      tree.modules.filter { !$0.isBroken && !$0.usesKeptSource }.map(\.id) + findings.sources.keys
    let present = Set(packaged.map(\.name))
    return try tree.modules.where { record throws(HostError) in
      guard let source = record.source.map({ FilePath($0) }), !record.usesKeptSource,
        try !Files.isFile(source.appending("dkms.conf"))
      else { return false }
      let isNamed =
        source.removingLastComponent() == layout.sourceTree
        && named.contains(.moduleSource(directory: source.lastComponent?.string ?? ""))
      // A copy was made before a transaction, which may have failed, because a package was about to remove
      // the source. Without a copy, another version whose source is there means the same.
      let isSuperseded = present.contains(record.id.name) && findings.sources[record.id] == nil
      if isNamed || isSuperseded { return true }
      return try Files.isDirectory(layout.keptSource(record.id))
    }.map(\.id)
  }

  /// Whether a source has changed since a copy was made before a transaction that was interrupted.
  private func differs(_ source: FilePath, of id: ModuleID) throws(HostError) -> Bool {
    let kept = layout.keptSource(id)
    guard try Files.isDirectory(kept) else { return false }
    return try !Files.haveEqualTrees(source, kept)
  }

  private func readSources(
    _ named: Set<HookTarget>, _ findings: inout Findings
  ) async throws(HostError) {
    let kernels = findings.transaction.installedKernels
    guard let kernel = kernels.first ?? (try? KernelRelease(host.runningRelease)).flatMap(kernel) else {
      return
    }
    let registered = tree.modules.filter { !$0.isBroken }.reduce(into: [:]) { $0[$1.source] = $1.id }
    for directory in try Files.list(layout.sourceTree) {
      let source = layout.sourceTree.appending(directory)
      guard try Files.isFile(source.appending("dkms.conf")) else { continue }
      let known = registered[source.string]
      var isTouched = named.contains(.moduleSource(directory: directory))
      if !isTouched, let known { isTouched = try differs(source, of: known) }
      guard isTouched || known == nil else { continue }
      do throws(DKMSError) {
        let id = try await snapshot.identity(of: source, for: kernel)
        findings.sources[id] = source.string
        if isTouched { findings.transaction.changedModules.append(id) }
      } catch  where isTouched {
        findings.errors.append(error)
        findings.transaction.unreadSources.append(directory)
      } catch {
        findings.warnings.append("\(error)")
      }
    }
  }
}

extension HookTarget {
  fileprivate var isPath: Bool { if case .package = self { false } else { true } }

  fileprivate var isOfKernel: Bool {
    switch self {
    case .kernel, .headers: true
    case .moduleSource, .package, .suite: false
    }
  }
}
