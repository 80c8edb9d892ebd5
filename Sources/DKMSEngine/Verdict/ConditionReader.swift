// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
internal import SystemPackage

/// Reads from the trees what there is of modules for kernels.
public struct ConditionReader: Sendable {
  private let host: Host
  private let layout: Layout
  private let options: BuildOptions
  private let allowsAutoinstall: Bool
  private let tree: ModuleTree
  private let state: TreeState
  private let newest: [ModuleID]
  private let enforcesSignatures: Bool

  /// Looks at the trees that framework.conf names.
  ///
  /// - Parameters:
  ///   - framework: Trees and options.
  ///   - host: The machine.
  ///   - kernelOwners: The packages that own kernels, with their versions, where they are known.
  public init(_ framework: Framework, host: Host, kernelOwners: [KernelRelease: String] = [:]) {
    self.host = host
    layout = framework.layout
    var options = framework.options
    options.kernelOwners = kernelOwners
    self.options = options
    allowsAutoinstall = framework.allowsAutoinstall
    tree = ModuleTree(layout)
    state = tree.state()
    newest = state.newestVersions
    enforcesSignatures = host.enforcesSignatures()
  }

  /// Whether any module is registered.
  public var hasModules: Bool { !state.modules.isEmpty }

  /// What there is for each of some kernels, in their order.
  public func conditions(of kernels: [Kernel]) async -> [KernelCondition] {
    let installed = state.modules.filter { !$0.isBroken && $0.builds.contains(where: \.isInstalled) }.map(
      \.id)
    let configurations = await FactsReader(host: host, layout: layout, options: options)
      .configurations(
        of: newest + installed.filter { !newest.contains($0) }, for: kernels, in: Facts(tree: state))
    var conditions = kernels.map { condition(of: $0, configurations) }
    let files = conditions.flatMap(\.modules).flatMap(\.files)
    let questions = files.flatMap { file in
      file.exists ? [file.path] : [file.kernelsOwn, file.builtPath].compactMap { $0 }
    }
    let information = await ModinfoAnswers(of: questions, host: host)
    for kernel in conditions.indices {
      for module in conditions[kernel].modules.indices {
        for file in conditions[kernel].modules[module].files.indices {
          information.complete(&conditions[kernel].modules[module].files[file])
        }
      }
    }
    return conditions
  }

  private typealias Configurations = [ModuleID: [Kernel: ConfigurationFact]]

  private func condition(of kernel: Kernel, _ configurations: Configurations) -> KernelCondition {
    let kernelTree = KernelTree(kernel.release, in: layout, options: options)
    let facts = kernelTree.facts
    let isRunning = kernel.release.description == host.runningRelease
    var names: [String] = []
    for name in state.modules.map(\.id.name) where names.last != name { names.append(name) }
    var condition = KernelCondition(
      kernel: kernel, isRunning: isRunning,
      enforcesSignatures: isRunning && enforcesSignatures
        || KernelOptions(file: kernelTree.configuration).contains("CONFIG_MODULE_SIG_FORCE") == true,
      modules: names.compactMap { module($0, kernelTree, facts, kernel, configurations) })
    let dependencies = layout.kernel(kernel.release).appending("modules.dep")
    let listed = Self.listed(in: dependencies, of: kernelTree)
    let files = condition.modules.flatMap(\.files).filter(\.exists)
    condition.hasStaleDependencies =
      !files.isEmpty
      && (facts.hasStaleDependencies
        || files.contains { Files.isNewer(FilePath($0.path), than: dependencies) })
    for module in condition.modules.indices {
      for file in condition.modules[module].files.indices {
        condition.modules[module].files[file].isListed =
          listed.contains(condition.modules[module].files[file].path)
      }
    }
    return condition
  }

  /// The module files that modules.dep names, as whole paths.
  private static func listed(in dependencies: FilePath, of kernel: KernelTree) -> Set<String> {
    guard let bytes = try? Files.read(dependencies) else { return [] }
    let names = bytes.split(separator: UInt8(ascii: "\n")).map { line in
      String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }
    return Set(names.map { kernel.directory.pushing(FilePath($0)).string })
  }

  // MARK: A module

  /// What there is of a module; nil where it does not belong to the kernel.
  private func module(
    _ name: String, _ kernelTree: KernelTree, _ facts: KernelFacts, _ kernel: Kernel,
    _ configurations: Configurations
  ) -> ModuleCondition? {
    let records = state.modules.filter { $0.id.name == name }
    let installed = records.first { $0.build(for: kernel)?.isInstalled == true }
    let newest = newest.first { $0.name == name }
    guard let id = newest ?? installed?.id ?? records.last?.id, let record = state[id] else { return nil }
    let configuration = configurations[id]?[kernel]
    let isWanted = records.contains { $0.builds.contains(where: \.isInstalled) }
    guard isWanted || allowsAutoinstall && configuration?.isAutoinstalled == true else { return nil }

    var condition = ModuleCondition(
      id: id, installed: installed?.id, isLastGood: installed?.isLastGood == true,
      isBuilt: record.build(for: kernel) != nil,
      failure: FailureRecord(layout).failure(of: id, kernel))
    condition.obstacle = obstacle(
      to: record, configuration, facts, kernel, hasFailed: condition.failure != nil)
    condition.isForAnotherKernel = isForAnotherKernel(installed?.build(for: kernel), kernelTree)
    condition.moduleNames = configuration?.moduleNames ?? []
    let owner = installed?.id ?? (condition.isBuilt ? id : nil)
    if let owner { condition.files = files(of: owner, kernelTree, kernel, configurations[owner]?[kernel]) }
    if condition.moduleNames.isEmpty { condition.moduleNames = condition.files.map(\.name) }
    return condition
  }

  /// Whether a build is known to be for another kernel of the same release.
  private func isForAnotherKernel(_ build: BuildRecord?, _ kernelTree: KernelTree) -> Bool {
    guard let built = build?.fingerprint,
      let present = kernelTree.fingerprint(owner: options.kernelOwners[kernelTree.release])
    else { return false }
    return !built.matches(present)
  }

  /// The first thing in the way of a build.
  private func obstacle(
    to record: ModuleRecord, _ configuration: ConfigurationFact?, _ facts: KernelFacts, _ kernel: Kernel,
    hasFailed: Bool
  ) -> DKMSError? {
    if record.isBroken {
      return .moduleBroken(record.id, link: record.source ?? layout.sourceLink(record.id).string)
    }
    guard case .read(let configuration)? = configuration else { return configuration?.error }
    if let reason = configuration.exclusion { return .excluded(record.id, kernel, reason: reason) }
    guard facts.hasHeaders else {
      return .headersMissing(kernel, directory: facts.headersDirectory, package: facts.headersPackage)
    }
    let missing = configuration.buildDepends.filter { state.installedVersion(of: $0, for: kernel) == nil }
    return missing.isEmpty || hasFailed ? nil : .dependenciesMissing(record.id, kernel, names: missing)
  }

  // MARK: Its files

  private func files(
    of id: ModuleID, _ kernelTree: KernelTree, _ kernel: Kernel, _ configuration: ConfigurationFact?
  ) -> [ModuleFileCondition] {
    let product = layout.productModules(id, kernel)
    let built = tree.moduleFiles(in: product)
    let installed = layout.installed(kernel.release)
    var expected = built.keys.sorted().map { (name: $0, directories: [installed]) }
    if case .read(let configuration)? = configuration {
      expected = configuration.modules.map { module in
        let named = layout.place(module.destinationLocation, in: kernel.release)
        return (module.destinationName, [installed] + (named.map { [$0] } ?? []))
      }
    }
    return expected.map { name, directories in
      let builtFile = built[name].map(product.appending)
      let copies = directories.flatMap { directory in
        Compression.allCases.map { directory.appending("\(name).ko\($0.suffix)") }
      }.filter(Files.isFile)
      let same = builtFile.flatMap { built in copies.first { Files.haveEqualContents(built, $0) } }
      // Elsewhere than where this suite installs, another file of that name is the kernel's own.
      if let file = same ?? copies.first(where: { $0.starts(with: installed) }) {
        return ModuleFileCondition(
          name: name, path: file.string, builtPath: builtFile?.string,
          isAsBuilt: builtFile.map { _ in same != nil })
      }
      return ModuleFileCondition(
        name: name, path: installed.appending(built[name] ?? "\(name).ko").string, exists: false,
        builtPath: builtFile?.string, kernelsOwn: kernelTree.modules(named: name).first?.string)
    }
  }
}

extension ConfigurationFact {
  fileprivate var isAutoinstalled: Bool {
    if case .read(let configuration) = self { configuration.autoinstall } else { false }
  }

  fileprivate var moduleNames: [String] {
    if case .read(let configuration) = self { configuration.modules.map(\.destinationName) } else { [] }
  }
}
