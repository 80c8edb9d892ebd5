// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
package import Host
internal import SystemPackage

/// Takes the facts that a plan is made from out of a snapshot.
public struct FactsReader: Sendable {
  let snapshot: Snapshot
  private let layout: Layout
  private let host: Host
  private let kernelOwners: [KernelRelease: String]?

  /// Makes a reader.
  ///
  /// - Parameters:
  ///   - snapshot: What there is.
  ///   - kernelOwners: The packages that own kernels, with their versions; nil if kernels of the same release
  ///     need not be told apart, which saves reading them.
  public init(_ snapshot: Snapshot, kernelOwners: [KernelRelease: String]? = nil) {
    self.snapshot = snapshot
    self.kernelOwners = kernelOwners
    layout = snapshot.layout
    host = snapshot.host
  }

  /// What is asked for.
  public struct Request: Sendable {
    /// The modules; those in the tree may be broken.
    public var modules: [ModuleID]
    /// The kernels that modules may be built for.
    public var kernels: [Kernel]
    /// Kernels that modules are only taken out of.
    public var clearedKernels: [Kernel] = []
    /// Where sources are that do not lie at `name-version` in the source tree.
    public var sources: [ModuleID: String] = [:]
    /// Where a module comes from that is to be brought in.
    public var origin: ModuleOrigin?

    /// Asks for modules and kernels.
    public init(
      modules: [ModuleID], kernels: [Kernel], clearedKernels: [Kernel] = [],
      sources: [ModuleID: String] = [:], origin: ModuleOrigin? = nil
    ) {
      self.modules = modules
      self.kernels = kernels
      self.clearedKernels = clearedKernels
      self.sources = sources
      self.origin = origin
    }
  }

  /// Reads the tree, the kernels, and the configuration of each module for each kernel.
  ///
  /// Modules that BUILD_DEPENDS names are read too where they are registered.
  ///
  /// - Throws: `DKMSError.system` where a part of the trees cannot be looked at. Of a kernel that is a fact of its own.
  public func facts(_ request: Request) async throws(DKMSError) -> Facts {
    do throws(HostError) {
      return try await read(request)
    } catch {
      throw DKMSError(error)
    }
  }

  private func read(_ request: Request) async throws(HostError) -> Facts {
    var facts = Facts(
      runningRelease: host.runningRelease, sourceTree: layout.sourceTree.string, tree: try snapshot.tree(),
      sources: request.sources, origin: request.origin)
    for record in facts.tree.modules {
      let id = record.id
      if try Files.isDirectory(layout.keptSource(id)) { facts.keptSources[id] = layout.keptSource(id).string }
      if record.isBroken || record.usesKeptSource { facts.productNames[id] = try productNames(of: record) }
    }
    for kernel in request.kernels { facts.kernels[kernel] = self.facts(of: kernel) }
    var wanted = request.modules
    while !wanted.isEmpty {
      for id in wanted where facts.sources[id] == nil {
        if try Files.isDirectory(layout.source(id)) { facts.sources[id] = layout.source(id).string }
      }
      let known = Set(facts.configurations.keys)
      await evaluate(wanted, request, &facts)
      for id in wanted { try readFailures(of: id, request.kernels, into: &facts) }
      try compareInstallations(of: wanted, in: &facts)
      wanted = dependencies(missingIn: facts, since: known)
    }
    try await compete(request.kernels, &facts)
    return facts
  }

  // MARK: Kernels

  private func facts(of kernel: Kernel) -> KernelFacts {
    let tree = snapshot.kernel(kernel.release)
    do throws(HostError) {
      var facts = try tree.facts()
      if kernelOwners != nil { facts.fingerprint = try fingerprint(of: tree) }
      facts.signing = try ModuleSigner.facts(tree, snapshot.options.signing, in: layout, on: host)
      // A build_environment may name compilers in other places, but only the build itself reads it.
      if snapshot.options.buildEnvironment == nil {
        facts.toolchainError = try KernelToolchain(of: tree, path: ProgramPath(host.environment))
          .error(for: kernel)
      }
      return facts
    } catch {
      return KernelFacts(
        directory: tree.directory.string, exists: true, headersDirectory: tree.headers.string,
        hasHeaders: false, headersPackage: nil, failedLook: DKMSError(error))
    }
  }

  private func fingerprint(of tree: KernelTree) throws(HostError) -> KernelFingerprint? {
    var fingerprint = try tree.fingerprint()
    fingerprint?.owner = kernelOwners?[tree.release]
    return fingerprint
  }

  // MARK: Modules

  /// What the configuration of each module says for each kernel.
  private func evaluate(_ modules: [ModuleID], _ request: Request, _ facts: inout Facts) async {
    // Without any kernel the running one stands in, by which POST_ADD is found.
    var kernels = request.kernels + request.clearedKernels
    if kernels.isEmpty, let running = host.runningKernel { kernels = [running] }
    let questions = modules.flatMap { id in
      Set(kernels + kernelsToLeave(by: facts.tree[id])).map { (id: id, kernel: $0) }
    }
    let sources = modules.reduce(into: [:]) { $0[$1] = source(of: $1, in: facts) }
    await withTaskGroup(of: (ModuleID, Kernel, EvaluatedConfiguration).self) { group in
      for (index, question) in questions.enumerated() {
        // Each may start a shell, so at most as many run at once as there are processors.
        if index >= host.processorCount, let answer = await group.next() { facts.take(answer) }
        let (id, kernel) = question
        guard let source = sources[id] else { continue }
        group.addTask { (id, kernel, await snapshot.configuration(of: id, source: source, for: kernel)) }
      }
      for await answer in group { facts.take(answer) }
    }
  }

  /// The kernels that a module without its own source may be taken out of, whoever owns them now.
  private func kernelsToLeave(by record: ModuleRecord?) -> [Kernel] {
    guard let record, record.isBroken || record.usesKeptSource else { return [] }
    return record.builds.map(\.kernel)
  }

  /// Where the source is that a module will be built from, or else was.
  func source(of id: ModuleID, in facts: Facts) -> FilePath {
    if let origin = facts.origin, origin.id == id, !origin.holdsOnlyBuilds || facts.sources[id] == nil {
      return FilePath(origin.directory)
    }
    let record = facts.tree[id]
    // The link will be led there.
    if record?.isBroken != false || record?.usesKeptSource == true, let source = facts.sources[id] {
      return FilePath(source)
    }
    if let record, record.isBroken { return facts.keptSources[id].map { FilePath($0) } ?? layout.source(id) }
    return record == nil ? layout.source(id) : layout.sourceLink(id)
  }

  private func productNames(of record: ModuleRecord) throws(HostError) -> Set<String> {
    let tree = ModuleTree(layout)
    return Set(
      try record.builds.collect { build throws(HostError) in
        try tree.moduleFiles(in: layout.productModules(record.id, build.kernel)).keys.map { $0 }
      })
  }

  private func readFailures(
    of id: ModuleID, _ kernels: [Kernel], into facts: inout Facts
  ) throws(HostError) {
    facts.failedBuilds[id] = Set(
      try kernels.where { kernel throws(HostError) in try Files.exists(layout.failureLog(id, kernel)) })
    let record = FailureRecord(layout)
    facts.failedInstallations[id] = Set(
      try kernels.where { kernel throws(HostError) in
        guard let build = facts.tree[id]?.build(for: kernel), !build.isInstalled else { return false }
        return try record.holdsInstallation(of: id, kernel)
      })
  }

  private func compareInstallations(of modules: [ModuleID], in facts: inout Facts) throws(HostError) {
    let tree = ModuleTree(layout)
    for index in facts.tree.modules.indices where modules.contains(facts.tree.modules[index].id) {
      let id = facts.tree.modules[index].id
      for build in facts.tree.modules[index].builds.indices {
        let kernel = facts.tree.modules[index].builds[build].kernel
        guard case .read(let configuration)? = facts.configurations[id]?[kernel] else { continue }
        facts.tree.modules[index].builds[build].isSound =
          try tree.integrity(of: id, kernel, configuration) != .different
          ? true : tree.isDisplaced(id, kernel)
      }
    }
  }

  private func dependencies(missingIn facts: Facts, since known: Set<ModuleID>) -> [ModuleID] {
    let fresh = facts.configurations.filter { !known.contains($0.key) }
    let names = Set(fresh.values.flatMap(\.values).flatMap { $0.configuration?.buildDepends ?? [] })
    return facts.tree.newestVersions.filter { names.contains($0.name) && facts.configurations[$0] == nil }
  }

  // MARK: What kernels have already

  /// Compares modules that may be installed with the kernels' modules of the same names.
  private func compete(_ kernels: [Kernel], _ facts: inout Facts) async throws(HostError) {
    var matches: [Match] = []
    for (id, configurations) in facts.configurations {
      for kernel in kernels {
        let build = facts.tree[id]?.build(for: kernel)
        guard facts.kernels[kernel]?.failedLook == nil, facts.kernels[kernel]?.exists == true,
          case .read(let configuration)? = configurations[kernel],
          build.map({ !$0.isInstalled || !$0.isSound }) ?? true
        else { continue }
        let built = try ModuleTree(layout).moduleFiles(in: layout.productModules(id, kernel))
        if SourceReach(in: layout).isPossible(for: configuration, from: source(of: id, in: facts)) {
          facts.builtInSource.insert(id)
        }
        for name in configuration.modules.map(\.destinationName) {
          var rivals = try snapshot.kernel(kernel.release).modules(named: name)
          if snapshot.options.keepsInstalled {
            rivals += try snapshot.kernel(kernel.release).installedModules(named: name)
              .where { file throws(HostError) in
                try !ModuleTree(layout).isOwnInstallation(file, of: id, kernel)
              }
          }
          let file = built[name].map(layout.productModules(id, kernel).appending)
          if !rivals.isEmpty {
            matches.append(Match(id: id, kernel: kernel, name: name, built: file, rivals: rivals))
          }
        }
      }
    }
    let files = Set(matches.flatMap { [$0.built].compactMap { $0 } + $0.rivals })
    let answers = await snapshot.information(on: files.sorted { $0.string < $1.string })
    let identity = { (file: FilePath) throws(HostError) in
      try (answers[file] ?? .unknown).identity(of: file)
    }
    for match in matches {
      var rivals: [Competition.Rival] = []
      for rival in match.rivals {
        let isSame = try match.built.map { built throws(HostError) in
          try Files.haveEqualContents(built, rival)
        }
        let installer = try ModuleTree(layout).installer(
          of: rival, for: match.kernel, exceptOf: match.id.name)
        rivals.append(
          .init(
            path: rival.string, identity: try identity(rival), isSameFile: isSame == true,
            installer: installer))
      }
      facts.competitions[match.id, default: [:]][match.kernel, default: []].append(
        Competition(name: match.name, built: try match.built.map(identity), rivals: rivals))
    }
  }

  private struct Match {
    let id: ModuleID
    let kernel: Kernel
    let name: String
    let built: FilePath?
    let rivals: [FilePath]
  }
}

extension Facts {
  fileprivate mutating func take(_ answer: (id: ModuleID, kernel: Kernel, evaluated: EvaluatedConfiguration))
  {
    configurations[answer.id, default: [:]][answer.kernel] = answer.evaluated.fact
    configurationFiles[answer.id, default: [:]][answer.kernel] = answer.evaluated.files
  }
}

extension Host {
  /// The kernel that runs; nil where its name cannot be that of a directory.
  package var runningKernel: Kernel? {
    (try? KernelRelease(runningRelease)).flatMap { try? Kernel(release: $0, architecture: architecture) }
  }
}
