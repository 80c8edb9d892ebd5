// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

/// Carries out one action of `dkms`.
struct ActionRunner {
  let action: Action
  let arguments: Arguments
  /// The call as it was typed.
  let call: Call
  let host: Host
  let layout: Layout
  let options: BuildOptions
  let allowsAutoinstall: Bool
  let narrator: Narrator
  let snapshot: Snapshot

  init(_ action: Action, _ arguments: Arguments, typed call: Call, _ host: Host) async throws {
    self.call = call
    self.action = action
    self.arguments = arguments
    self.host = host
    narrator = Narrator(host.console)
    let framework = try await Self.framework(for: action, host)
    allowsAutoinstall = framework.allowsAutoinstall
    layout = arguments.layout(over: framework.layout)
    options = arguments.options(over: framework.options)
    snapshot = Snapshot(host: host, layout: layout, options: options)
  }

  /// What is set for every module; to look is possible with less than all of it.
  private static func framework(for action: Action, _ host: Host) async throws(DKMSError) -> Framework {
    do throws(DKMSError) {
      return try await Settings.read(over: Layout(), host: host, trust: .warn).framework
    } catch  where action == .status {
      let (framework, problems) = try await Framework.readUsable(over: Layout(), host: host)
      for problem in problems { Narrator(host.console).warn("\(problem); what it sets is left out here") }
      return framework
    }
  }

  func run() async throws -> ExitStatus {
    if action != .status, !arguments.isDryRun, (try? checkAccess()) != nil {
      try onFiles { () throws(HostError) in try LeftoverSweeper(layout).sweep() }
    }
    switch action {
    case .status:
      let listing = StatusListing(snapshot)
      let filter = try StatusFilter(arguments)
      return arguments.isJSON
        ? try await listing.printJSON(matching: filter) : try await listing.print(matching: filter)
    case .add, .build, .install, .uninstall, .unbuild, .remove: return try await changeModule()
    case .autoinstall, .afterKernelInstall: return try await autoinstall()
    case .match: return try await match()
    case .beforeKernelInstall: return try await clearKernel(onlyAutoinstalled: true)
    case .beforeKernelRemoval: return try await clearKernel(onlyAutoinstalled: false)
    case .generateKeys: return try await generateKeys()
    case .mktarball: return try await makeTarball()
    case .ldtarball: return try await loadTarball()
    }
  }

  // MARK: Plans

  func facts(
    _ modules: [ModuleID], _ kernels: [Kernel], origin: ModuleOrigin? = nil
  ) async throws -> Facts {
    let reader = FactsReader(snapshot)
    var facts = try await reader.facts(
      FactsReader.Request(modules: modules, kernels: kernels, origin: origin))
    if options.trust == .strict {
      facts.trust = try reader.trust(in: facts.configurations.keys.map { $0 }, facts)
    }
    return facts
  }

  /// What the DKMS tree holds.
  func tree() throws -> TreeState { try onFiles { () throws(HostError) in try snapshot.tree() } }

  /// Carries out a plan, or only says what is in it.
  ///
  /// `isFailure` says which errors are more than remarks, and `status` turns all of them into the exit
  /// status.
  ///
  /// If modules.dep cannot be written, what was installed according to `facts` is brought back.
  func carryOut(
    _ plan: Plan, from facts: Facts? = nil, isFailure: (DKMSError) -> Bool = \.isFailure,
    status: ([DKMSError]) -> ExitStatus = Self.status
  ) async throws -> ExitStatus {
    plan.skips.forEach(narrator.skipped)
    if options.trust == .warn {
      narrator.warn(of: try FactsReader(snapshot).trust(for: plan, in: Facts(tree: try tree())))
    }
    if arguments.isDryRun {
      narrator.announce(plan)
      tellObstacles(of: plan, isFailure)
      return status(plan.obstacles)
    }
    let executor = Executor(snapshot)
    let report = try await executor.execute(plan, observe: narrator.ended)
    if let facts {
      let rollBack = Planner.rollBack(report, facts: facts, options: options)
      _ = try await executor.execute(rollBack, observe: narrator.ended)
    }
    if Task.isCancelled {
      narrator.interrupted()
      return .interrupted
    }
    narrator.conclude(report, remedy: remedy(for:))
    tellObstacles(of: plan, isFailure)
    return status(plan.obstacles + report.failures)
  }

  /// The status of the first failure.
  ///
  /// That a module is not for a kernel does not hide a real failure.
  private static func status(of errors: [DKMSError]) -> ExitStatus {
    (errors.first(where: \.isFailure) ?? errors.first)?.exitStatus ?? .success
  }

  /// Says, once, which directives in the modules of a plan no longer have any effect.
  func remarkOnDeprecations(of plan: Plan, _ facts: Facts) {
    var told: Set<ModuleID> = []
    for step in plan.steps.map(\.step) {
      switch step {
      case .add(let id, _), .build(let id, _), .install(let id, _):
        guard told.insert(id).inserted, let names = facts.deprecations[id] else { continue }
        for name in names { narrator.warn("\(id): the directive \(name) is deprecated") }
      default: continue
      }
    }
  }

  private func tellObstacles(of plan: Plan, _ isFailure: (DKMSError) -> Bool) {
    for error in plan.obstacles where error.isFailure {
      if isFailure(error) { fail(error) } else { narrator.warn("\(error)") }
    }
  }

  // MARK: Arguments

  func namedKernels() throws -> [Kernel] {
    let named =
      arguments.kernels.isEmpty
      ? [Arguments.KernelArgument(release: host.runningRelease)] : arguments.kernels
    var kernels: [Kernel] = []
    for (index, argument) in named.enumerated() {
      let several = arguments.architectures
      let architecture =
        argument.architecture ?? (several.count > 1 ? several[index] : several.first) ?? host.architecture
      let kernel = try Kernel(release: KernelRelease(argument.release), architecture: architecture)
      if !kernels.contains(kernel) { kernels.append(kernel) }
    }
    return kernels
  }

  /// The kernel of an action that takes no more than one.
  func onlyKernel() throws -> Kernel {
    if arguments.isAll { throw UsageError.allNotSupported(action) }
    guard arguments.kernels.count <= 1, let kernel = try namedKernels().first else {
      throw UsageError.severalKernels(action)
    }
    return kernel
  }

  /// Checks that the caller may do it; anyone may do a dry run.
  func checkAccess() throws {
    if arguments.isDryRun { return }
    switch action {
    case .install, .uninstall, .autoinstall, .match, .beforeKernelInstall, .afterKernelInstall,
      .beforeKernelRemoval:
      guard host.isRoot else { throw UsageError.notRoot(action) }
    case .add, .build, .unbuild, .remove, .ldtarball:
      try checkWritable(layout.dkmsTree)
      if arguments.importPath != nil { try checkWritable(layout.sourceTree) }
    case .status, .mktarball, .generateKeys: break
    }
  }

  /// Checks that the caller may change a directory, or make it if it does not exist.
  func checkWritable(_ directory: FilePath) throws {
    var directory = directory
    let (isWritable, isReadOnly) = try onFiles { () throws(HostError) in
      while try !Files.exists(directory), directory.removeLastComponent() {}
      return (try Files.isWritable(directory), try Files.forbidsChanges(directory))
    }
    if isReadOnly { throw UsageError.readOnly(directory.string) }
    guard isWritable else { throw UsageError.notWritable(directory.string) }
  }
}

extension DKMSError {
  /// Whether the error is a failure; a module that is not for a kernel is merely left out.
  var isFailure: Bool { exitStatus != .excluded }
}
