// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

/// Carries out one action of `dkms`.
struct ActionRunner {
  private let action: Arguments.Action
  private let arguments: Arguments
  private let host: Host
  private let layout: Layout
  private let options: BuildOptions
  private let allowsAutoinstall: Bool
  private let narrator: Narrator

  init(_ action: Arguments.Action, _ arguments: Arguments, _ host: Host) async throws {
    self.action = action
    self.arguments = arguments
    self.host = host
    narrator = Narrator(host.console)
    let framework = try await Framework.read(over: Layout(), host: host)
    let arguments = arguments.withPaths(from: host.workingDirectory)
    allowsAutoinstall = framework.allowsAutoinstall
    layout = arguments.layout(over: framework.layout)
    options = arguments.options(over: framework.options)
  }

  func run() async throws -> ExitStatus {
    if action != .status, (try? checkAccess()) != nil { LeftoverSweeper(layout).sweep() }
    switch action {
    case .status:
      return await StatusListing(layout, options, host).print(matching: try StatusFilter(arguments))
    case .autoinstall: return try await autoinstall()
    default: return try await change(try module())
    }
  }

  // MARK: Actions

  private func change(_ id: ModuleID) async throws -> ExitStatus {
    let tree = ModuleTree(layout).state()
    let isUndoing = [.uninstall, .unbuild, .remove].contains(action)
    if isUndoing {
      guard let record = tree[id] else { throw DKMSError.notAdded(id) }
      // A module whose source is gone can always be removed; nothing else could be done with it.
      guard !record.isBroken || action == .remove else {
        throw DKMSError.moduleBroken(id, link: layout.sourceLink(id).string)
      }
    } else if action != .add, tree[id]?.isBroken == true, !Files.isDirectory(layout.source(id)) {
      throw DKMSError.moduleBroken(id, link: layout.sourceLink(id).string)
    }
    try checkAccess()
    let kernels = try kernels(of: tree[id])
    let facts = await FactsReader(host: host, layout: layout, options: options)
      .facts(modules: isUndoing ? [] : [id], kernels: kernels)
    return try await carryOut(plan(id, kernels, facts))
  }

  private func plan(_ id: ModuleID, _ kernels: [Kernel], _ facts: Facts) -> Plan {
    switch action {
    case .add: Planner.add(id, facts: facts, options: options)
    case .build: Planner.build(id, for: kernels, facts: facts, options: options)
    case .install: Planner.install(id, for: kernels, facts: facts, options: options)
    case .uninstall: Planner.uninstall(id, for: kernels, facts: facts, options: options)
    case .unbuild: Planner.unbuild(id, for: kernels, facts: facts, options: options)
    case .remove:
      // Removing it for a named kernel leaves it registered, so that the next kernel gets it again.
      Planner.remove(
        id, for: kernels, unregisters: arguments.kernels.isEmpty, facts: facts, options: options)
    case .status, .autoinstall: Plan()
    }
  }

  private func autoinstall() async throws -> ExitStatus {
    if arguments.isAll { throw UsageError.allNotSupported(action) }
    guard arguments.kernels.count <= 1 else { throw UsageError.severalKernels(action) }
    try checkAccess()
    guard allowsAutoinstall else {
      narrator.warn("nothing is installed: \(layout.configurationDirectory)/no-autoinstall forbids it")
      return .success
    }
    let kernels = try namedKernels()
    let modules = ModuleTree(layout).state().newestVersions
    let facts = await FactsReader(host: host, layout: layout, options: options)
      .facts(modules: modules, kernels: kernels)
    let status = try await carryOut(Planner.autoinstall(for: kernels, facts: facts, options: options))
    return [.success, .excluded].contains(status)
      ? .success : status == .headersMissing ? status : .autoinstallFailed
  }

  private func carryOut(_ plan: Plan) async throws -> ExitStatus {
    plan.skips.forEach(narrator.skipped)
    let executor = Executor(host: host, layout: layout, options: options)
    var report = try await executor.execute(plan, observe: narrator.ended)
    if action == .install { report = try await rollBackWhereDepmodFailed(report, executor) }
    if Task.isCancelled {
      narrator.interrupted()
      return .interrupted
    }
    narrator.conclude(report)
    let errors = plan.obstacles + report.failures
    for obstacle in plan.obstacles where obstacle.exitStatus != .excluded { narrator.fail(obstacle) }
    return errors.first?.exitStatus ?? .success
  }

  /// A module that depmod cannot place is taken out again, as the reference does.
  private func rollBackWhereDepmodFailed(_ report: Report, _ executor: Executor) async throws -> Report {
    var undo = Plan()
    for case .depmodFailed(let release, _) in report.failures {
      for (planned, outcome) in zip(report.plan.steps, report.outcomes) where outcome.isDone {
        if case .install(let id, let kernel) = planned.step, kernel.release == release {
          undo.append(.uninstall(id, kernel), because: .modulesChange)
        }
      }
    }
    if !undo.isEmpty { _ = try await executor.execute(undo, observe: narrator.ended) }
    return report
  }

  // MARK: What the arguments name

  private func module() throws -> ModuleID {
    guard !arguments.module.isEmpty, !arguments.version.isEmpty else { throw UsageError.noModule(action) }
    return try ModuleID(name: arguments.module, version: arguments.version)
  }

  private func kernels(of record: ModuleRecord?) throws -> [Kernel] {
    guard arguments.isAll else { return try namedKernels() }
    switch action {
    case .uninstall, .unbuild, .remove: return record?.builds.map(\.kernel) ?? []
    case .build, .install:
      return try KernelCatalogue(layout).kernels.map {
        try Kernel(release: $0, architecture: host.architecture)
      }
    case .add, .status, .autoinstall: throw UsageError.allNotSupported(action)
    }
  }

  private func namedKernels() throws -> [Kernel] {
    let named =
      arguments.kernels.isEmpty
      ? [Arguments.KernelArgument(release: host.runningRelease)] : arguments.kernels
    return try named.enumerated().map { index, kernel in
      let several = arguments.architectures
      let architecture =
        kernel.architecture ?? (several.count > 1 ? several[index] : several.first) ?? host.architecture
      return try Kernel(release: KernelRelease(kernel.release), architecture: architecture)
    }
  }

  private func checkAccess() throws {
    switch action {
    case .install, .uninstall, .autoinstall:
      guard host.isRoot else { throw UsageError.notRoot(action) }
    case .add, .build, .unbuild, .remove:
      var directory = layout.dkmsTree
      while Files.kind(directory) == nil, directory.removeLastComponent() {}
      guard Files.isWritable(directory) else { throw UsageError.notWritable(directory.string) }
    case .status: break
    }
  }
}

extension Arguments {
  /// The same with every path made absolute: builds and scripts run elsewhere.
  fileprivate func withPaths(from directory: FilePath) -> Arguments {
    var arguments = self
    for path in [
      \Arguments.configuration, \.kernelConfiguration, \.kernelSourceDirectory, \.dkmsTree, \.sourceTree,
      \.installTree,
    ] {
      arguments[keyPath: path] = self[keyPath: path].map { directory.pushing($0).lexicallyNormalized() }
    }
    return arguments
  }

  fileprivate func layout(over layout: Layout) -> Layout {
    var layout = layout
    if let dkmsTree { layout.dkmsTree = dkmsTree }
    if let sourceTree { layout.sourceTree = sourceTree }
    if let installTree { layout.installTree = installTree }
    return layout
  }

  fileprivate func options(over options: BuildOptions) -> BuildOptions {
    var options = options
    options.jobs = jobs ?? options.jobs
    options.configurationFile = configuration
    options.kernelSourceDirectory = kernelSourceDirectory
    options.kernelConfiguration = kernelConfiguration
    options.directives = directives
    options.isForced = isForced
    options.skipsDepmod = skipsDepmod
    return options
  }
}
