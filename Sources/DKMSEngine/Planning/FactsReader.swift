// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
internal import SystemPackage

/// Reads the facts that a plan is made from.
public struct FactsReader: Sendable {
  private let layout: Layout
  private let options: BuildOptions
  private let reader: ConfigurationReader
  private let host: Host
  private let comparesKernels: Bool

  /// Makes a reader; `comparesKernels` makes it tell kernels of one release apart, which takes reading them.
  public init(host: Host, layout: Layout, options: BuildOptions, comparesKernels: Bool = false) {
    self.comparesKernels = comparesKernels
    self.layout = layout
    self.options = options
    self.host = host
    reader = ConfigurationReader(host: host, layout: layout, options: options)
  }

  /// Reads the tree, the kernels, and the configuration of each module for each kernel.
  ///
  /// Modules that BUILD_DEPENDS names are read too where they are registered.
  ///
  /// - Parameters:
  ///   - modules: The modules to read; those of the tree need not be registered properly.
  ///   - kernels: The kernels to read them for.
  ///   - sources: Where sources are that do not lie at `name-version` in the source tree.
  ///   - origin: Where a module comes from that is to be brought in.
  /// - Returns: The facts.
  public func facts(
    modules: [ModuleID], kernels: [Kernel], sources: [ModuleID: String] = [:], origin: ModuleOrigin? = nil
  ) async -> Facts {
    var facts = Facts(
      runningRelease: host.runningRelease, sourceTree: layout.sourceTree.string,
      tree: ModuleTree(layout).state(), sources: sources, origin: origin)
    for id in facts.tree.modules.map(\.id) where Files.isDirectory(layout.keptSource(id)) {
      facts.keptSources[id] = layout.keptSource(id).string
    }
    for record in facts.tree.modules where record.isBroken || record.isLastGood {
      facts.productNames[record.id] = productNames(of: record)
    }
    for kernel in kernels {
      facts.kernels[kernel] = self.facts(of: kernel)
    }
    var wanted = modules
    while !wanted.isEmpty {
      for id in wanted {
        if facts.sources[id] == nil, Files.isDirectory(layout.source(id)) {
          facts.sources[id] = layout.source(id).string
        }
      }
      let read = await configurations(of: wanted, for: kernels, in: facts)
      facts.configurations.merge(read) { $1 }
      for id in wanted { facts.failedBuilds[id] = failedBuilds(of: id, kernels) }
      compareInstallations(of: wanted, in: &facts)
      wanted = dependencies(of: read, missingIn: facts)
    }
    return facts
  }

  private func facts(of kernel: Kernel) -> KernelFacts {
    let tree = KernelTree(kernel.release, in: layout, options: options)
    var facts = tree.facts
    if comparesKernels { facts.fingerprint = tree.fingerprint(owner: options.kernelOwners[kernel.release]) }
    facts.signing = ModuleSigner.facts(tree, options.signing, in: layout, on: host)
    // A build_environment may lead to compilers that are nowhere else; only the build itself reads it.
    if options.buildEnvironment == nil {
      facts.toolchainError = KernelToolchain(of: tree, path: ProgramPath(host.environment)).error(for: kernel)
    }
    return facts
  }

  /// What the configuration of each module says for each kernel.
  func configurations(
    of modules: [ModuleID], for kernels: [Kernel], in facts: Facts
  ) async -> [ModuleID: [Kernel: ConfigurationFact]] {
    let questions = modules.flatMap { id in kernels.map { (id: id, kernel: $0) } }
    return await withTaskGroup(of: (ModuleID, Kernel, ConfigurationFact).self) { group in
      var answers: [ModuleID: [Kernel: ConfigurationFact]] = [:]
      for (index, question) in questions.enumerated() {
        // Each runs a shell: no more of them at a time than there are processors.
        if index >= host.processorCount, let (id, kernel, fact) = await group.next() {
          answers[id, default: [:]][kernel] = fact
        }
        let (id, kernel) = question
        let source = source(of: id, in: facts)
        group.addTask { (id, kernel, await self.configuration(of: id, source: source, for: kernel)) }
      }
      return await group.reduce(into: answers) { $0[$1.0, default: [:]][$1.1] = $1.2 }
    }
  }

  private func productNames(of record: ModuleRecord) -> Set<String> {
    let tree = ModuleTree(layout)
    return Set(
      record.builds.flatMap { tree.moduleFiles(in: layout.productModules(record.id, $0.kernel)).keys })
  }

  private func failedBuilds(of id: ModuleID, _ kernels: [Kernel]) -> Set<Kernel> {
    Set(kernels.filter { Files.kind(layout.failureLog(id, $0)) != nil })
  }

  private func compareInstallations(of modules: [ModuleID], in facts: inout Facts) {
    let tree = ModuleTree(layout)
    for index in facts.tree.modules.indices where modules.contains(facts.tree.modules[index].id) {
      let id = facts.tree.modules[index].id
      for build in facts.tree.modules[index].builds.indices {
        let kernel = facts.tree.modules[index].builds[build].kernel
        guard case .read(let configuration)? = facts.configurations[id]?[kernel] else { continue }
        facts.tree.modules[index].builds[build].isSound =
          tree.integrity(of: id, kernel, configuration) != .different || tree.isDisplaced(id, kernel)
      }
    }
  }

  private func source(of id: ModuleID, in facts: Facts) -> FilePath {
    if let origin = facts.origin, origin.id == id, !origin.holdsOnlyBuilds || facts.sources[id] == nil {
      return FilePath(origin.directory)
    }
    if let record = facts.tree[id], !record.isBroken { return layout.sourceLink(id) }
    return facts.sources[id].map { FilePath($0) } ?? layout.source(id)
  }

  private func configuration(
    of id: ModuleID, source: FilePath, for kernel: Kernel
  ) async -> ConfigurationFact {
    do {
      return .read(try await reader.configuration(of: id, source: source, for: kernel))
    } catch {
      return .unreadable(error)
    }
  }

  private func dependencies(
    of configurations: [ModuleID: [Kernel: ConfigurationFact]], missingIn facts: Facts
  ) -> [ModuleID] {
    let names = Set(
      configurations.values.flatMap(\.values).flatMap { fact -> [String] in
        if case .read(let configuration) = fact { configuration.buildDepends } else { [] }
      })
    return facts.tree.newestVersions.filter { names.contains($0.name) && facts.configurations[$0] == nil }
  }
}
