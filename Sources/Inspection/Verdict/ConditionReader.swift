// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
internal import Host
internal import SystemPackage

/// The facts that kernels are judged by.
package struct ConditionFacts: Codable, Hashable, Sendable {
  /// What there is for each kernel.
  package var conditions: [KernelCondition]
  /// What matters.
  package var configuration: SuiteConfiguration
  /// What is wrong with `/etc/alpm-dkms.conf`.
  package var problems: [ConfigurationProblem] = []
  /// Whether there is any module to speak of.
  package var hasModules = true

  /// The verdict on each kernel.
  package var verdicts: [KernelVerdict] { conditions.map { KernelVerdict($0, by: configuration) } }
}

/// Reads the state of kernels' modules from a snapshot.
package struct ConditionReader: Sendable {
  private let snapshot: Snapshot
  private let layout: Layout
  private let allowsAutoinstall: Bool
  private let kernelOwners: [KernelRelease: String]
  private let packagedSources: [String: String]

  /// Reads conditions.
  ///
  /// - Parameters:
  ///   - snapshot: What there is.
  ///   - allowsAutoinstall: Whether anything may be installed that was not asked for by name.
  ///   - kernelOwners: The packages that own kernels, with their versions, where they are known.
  ///   - packagedSources: The directories in the source tree that packages own a dkms.conf in, with their packages.
  package init(
    _ snapshot: Snapshot, allowsAutoinstall: Bool = true, kernelOwners: [KernelRelease: String] = [:],
    packagedSources: [String: String] = [:]
  ) {
    self.snapshot = snapshot
    self.allowsAutoinstall = allowsAutoinstall
    self.kernelOwners = kernelOwners
    self.packagedSources = packagedSources
    layout = snapshot.layout
  }

  /// What there is for each of some kernels, in their order.
  ///
  /// - Throws: `DKMSError.system` where the trees cannot be looked at; of a single kernel that is in its condition.
  package func conditions(of kernels: [Kernel]) async throws(DKMSError) -> [KernelCondition] {
    try await survey(of: kernels).conditions
  }

  /// The same, with the names of all modules, as their packages and as the kernel have them; nil where some are not known.
  ///
  /// - Throws: `DKMSError.system` where the trees cannot be looked at.
  package func survey(
    of kernels: [Kernel]
  ) async throws(DKMSError) -> (conditions: [KernelCondition], names: Set<String>?) {
    guard let first = kernels.first else { return ([], nil) }
    let unregistered: UnregisteredSources
    do { unregistered = try await UnregisteredSources(snapshot, for: first, packaged: packagedSources) } catch
    {
      throw DKMSError(error)
    }
    let tree = try onFiles { () throws(HostError) in try snapshot.tree() }.adding(unregistered.modules)
    let newest = tree.newestVersions
    let installed = tree.modules.filter { !$0.isBroken && $0.builds.contains(where: \.isInstalled) }.map(\.id)
    let reader = FactsReader(snapshot, kernelOwners: kernelOwners)
    var facts = try await reader.facts(
      FactsReader.Request(
        modules: newest + installed.filter { !newest.contains($0) }, kernels: kernels,
        sources: unregistered.modules))
    do { facts.unrecorded = try await UnrecordedInstallations(snapshot, facts).files(of: newest) } catch {
      throw DKMSError(error)
    }
    if snapshot.host.isRoot { try addTrust(to: &facts, newest, kernels, reader) }
    facts.tree = facts.tree.adding(unregistered.modules)
    let conditions = await withInformation(kernels.map { condition(of: $0, facts, unregistered) })
    return (conditions, unregistered.unread.isEmpty ? facts.moduleNames : nil)
  }

  /// Adds who can change what would be run; an installed module is nothing that is to be run.
  ///
  /// Only root can look everywhere, and nothing is run for anybody else.
  private func addTrust(
    to facts: inout Facts, _ modules: [ModuleID], _ kernels: [Kernel], _ reader: FactsReader
  ) throws(DKMSError) {
    let absent = modules.filter { id in
      kernels.contains { facts.tree[id]?.build(for: $0)?.isInstalled != true }
    }
    facts.trust = try reader.trust(in: absent, facts)
  }

  /// Adds what module files say of themselves.
  private func withInformation(_ conditions: [KernelCondition]) async -> [KernelCondition] {
    var conditions = conditions
    let files = conditions.flatMap(\.modules).flatMap(\.files).filter(\.exists).map { FilePath($0.path) }
    let answers = await snapshot.information(on: files)
    for kernel in conditions.indices {
      for module in conditions[kernel].modules.indices {
        for file in conditions[kernel].modules[module].files.indices {
          let path = FilePath(conditions[kernel].modules[module].files[file].path)
          conditions[kernel].modules[module].files[file].information =
            answers[path].map(ModuleFileCondition.Information.init) ?? .unknown
        }
      }
    }
    return conditions
  }

  // MARK: A kernel

  private func condition(
    of kernel: Kernel, _ facts: Facts, _ unregistered: UnregisteredSources
  ) -> KernelCondition {
    do throws(HostError) {
      if let failedLook = facts.kernels[kernel]?.failedLook {
        return KernelCondition(kernel: kernel, isRunning: isRunning(kernel), failedLook: failedLook)
      }
      return try readableCondition(of: kernel, facts, unregistered)
    } catch {
      return KernelCondition(kernel: kernel, isRunning: isRunning(kernel), failedLook: DKMSError(error))
    }
  }

  private func isRunning(_ kernel: Kernel) -> Bool {
    kernel.release.description == snapshot.host.runningRelease
  }

  private func readableCondition(
    of kernel: Kernel, _ facts: Facts, _ unregistered: UnregisteredSources
  ) throws(HostError) -> KernelCondition {
    let kernelTree = snapshot.kernel(kernel.release)
    let isForced = try kernelTree.options().contains("CONFIG_MODULE_SIG_FORCE") == true
    var condition = KernelCondition(
      kernel: kernel, isRunning: isRunning(kernel),
      enforcesSignatures: isForced || isRunning(kernel) && snapshot.host.enforcesSignatures())
    var names: [String] = []
    for name in facts.tree.modules.map(\.id.name) where names.last != name { names.append(name) }
    for name in names {
      guard var module = try module(name, kernelTree, kernel, facts) else { continue }
      module.unregisteredSource = unregistered.modules[module.id]
      condition.modules.append(module)
    }
    condition.unreadSources = unregistered.unread
    let index = try kernelTree.index()
    for module in condition.modules.indices {
      for file in condition.modules[module].files.indices {
        let path = condition.modules[module].files[file].path
        condition.modules[module].files[file].isListed = index.lists(FilePath(path))
      }
    }
    condition.indexFlaw = facts.kernels[kernel]?.indexFlaw
    condition.hasStaleDependencies = condition.indexFlaw != nil
    return condition
  }

  // MARK: A module

  /// What there is of a module; nil where it does not belong to the kernel.
  private func module(
    _ name: String, _ kernelTree: KernelTree, _ kernel: Kernel, _ facts: Facts
  ) throws(HostError) -> ModuleCondition? {
    let records = facts.tree.modules.filter { $0.id.name == name }
    let installed = records.first { $0.build(for: kernel)?.isInstalled == true }
    let newest = facts.tree.newestVersions.first { $0.name == name }
    guard let id = newest ?? installed?.id ?? records.last?.id, let record = facts.tree[id] else {
      return nil
    }
    let configuration = facts.configurations[id]?[kernel]?.configuration
    let found = installed == nil ? facts.unrecorded[id]?[kernel] : nil
    let isWanted = found != nil || records.contains { $0.builds.contains(where: \.isInstalled) }
    guard isWanted || allowsAutoinstall && configuration?.autoinstall == true else { return nil }

    var condition = ModuleCondition(
      id: id, installed: installed?.id, usesKeptSource: installed?.usesKeptSource == true,
      isBuilt: record.build(for: kernel) != nil,
      failure: try FailureRecord(layout).failure(of: id, kernel))
    condition.obstacle = Obstacles(facts).first(to: id, for: kernel)
    // A build that failed had the modules that it needs.
    if case .dependenciesMissing? = condition.obstacle, condition.failure != nil { condition.obstacle = nil }
    condition.isForAnotherKernel = installed?.build(for: kernel).flatMap(facts.isForAnotherKernel) == true
    condition.moduleNames = configuration?.modules.map(\.destinationName) ?? []
    if let owner = installed?.id ?? (condition.isBuilt ? id : nil) {
      condition.files = try files(of: owner, kernelTree, kernel, facts)
    } else if let found {
      condition.isUnrecorded = true
      condition.files =
        found.files.map { ModuleFileCondition(name: $0.name, path: $0.path) }
        + found.missing.map { name in
          let path = layout.installed(kernel.release).appending("\(name).ko").string
          return ModuleFileCondition(name: name, path: path, exists: false)
        }
    }
    if condition.moduleNames.isEmpty { condition.moduleNames = condition.files.map(\.name) }
    return condition
  }

  // MARK: Its files

  private func files(
    of id: ModuleID, _ kernelTree: KernelTree, _ kernel: Kernel, _ facts: Facts
  ) throws(HostError) -> [ModuleFileCondition] {
    let product = layout.productModules(id, kernel)
    let built = try ModuleTree(layout).moduleFiles(in: product)
    let installed = layout.installed(kernel.release)
    var expected = built.keys.sorted().map { (name: $0, directories: [installed]) }
    if let configuration = facts.configurations[id]?[kernel]?.configuration {
      expected = configuration.modules.map { module in
        let named = layout.place(module.destinationLocation, in: kernel.release)
        return (module.destinationName, [installed] + (named.map { [$0] } ?? []))
      }
    }
    var conditions: [ModuleFileCondition] = []
    for (name, directories) in expected {
      let file = built[name].map(product.appending)
      conditions.append(
        try self.file(named: name, of: id, directories, builtAs: file, kernel)
          ?? ModuleFileCondition(
            name: name, path: installed.appending(built[name] ?? "\(name).ko").string,
            exists: false, builtPath: file?.string, kernelsOwn: kernelsOwn(name, of: id, kernel, facts)))
    }
    return conditions
  }

  /// What there is of a module in the places where it may be installed; nil where it is in none.
  private func file(
    named name: String, of id: ModuleID, _ directories: [FilePath], builtAs built: FilePath?, _ kernel: Kernel
  ) throws(HostError) -> ModuleFileCondition? {
    let copies = try directories.flatMap { place in
      Compression.allCases.map { place.appending("\(name).ko\($0.suffix)") }
    }.where(Files.isFile)
    let same = try built.flatMap { built throws(HostError) in
      try copies.firstWhere { copy throws(HostError) in try Files.haveEqualContents(built, copy) }
    }
    // Elsewhere than where this suite installs, another file of that name is the kernel's own.
    let installed = layout.installed(kernel.release)
    guard let file = same ?? copies.first(where: { $0.starts(with: installed) }) else { return nil }
    var condition = ModuleFileCondition(
      name: name, path: file.string, builtPath: built?.string, isAsBuilt: built.map { _ in same != nil })
    condition.double = copies.first { $0 != file && $0.starts(with: installed) }?.string
    if condition.isAsBuilt == false {
      condition.displacement = try ModuleTree(layout).installer(of: file, for: kernel, exceptOf: id.name)
        .map { ModuleFileCondition.Displacement(by: $0) }
    }
    return condition
  }

  /// The kernel's own module that stays in the place of a built one.
  private func kernelsOwn(_ name: String, of id: ModuleID, _ kernel: Kernel, _ facts: Facts) -> String? {
    let options = snapshot.options
    if options.isForced || options.overridesVersions || options.forcedModules.includes(id.name) { return nil }
    let competition = facts.competitions[id]?[kernel]?.first { $0.name == name }
    return competition?.refusal == nil ? nil : competition?.rivals.first?.path
  }
}

extension Facts {
  /// The names of all modules; nil where a dkms.conf does not tell those that it builds.
  fileprivate var moduleNames: Set<String>? {
    var names = Set(tree.modules.map(\.id.name))
    guard !tree.modules.contains(where: \.isBroken) else { return nil }
    for answers in configurations.values {
      // One that is for none of the kernels may name no module.
      let modules = answers.values.flatMap { $0.configuration?.modules ?? [] }
      guard !modules.isEmpty else { return nil }
      names.formUnion(modules.map(\.destinationName))
    }
    return names
  }
}

extension ModuleFileCondition.Information {
  fileprivate init(_ answer: ModuleInformation.Answer) {
    switch answer {
    case .unknown: self = .unknown
    case .unreadable: self = .unreadable
    case .read(let information):
      self = .read(release: information.release ?? "", isSigned: information.isSigned)
    }
  }
}
