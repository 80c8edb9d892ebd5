// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import Synchronization
internal import SystemPackage

/// Carries out single steps; each is either done whole or leaves what stood before.
struct StepRunner: Sendable {
  let plan: Plan
  let snapshot: Snapshot
  let tree: ModuleTree
  let sandbox: BuildSandbox
  /// What keeps builds from harm; nil where they run as root.
  let confinement: Confinement?
  /// What limits the number of jobs; nil where there is no limit.
  let jobServer: JobServer?
  /// What is told of builds while they last.
  let progress: Progress
  /// Where builds are kept and taken from; nil for neither.
  let cache: UsedCache?
  private let rivals = Rivals()

  var host: Host { snapshot.host }
  var layout: Layout { snapshot.layout }
  var options: BuildOptions { snapshot.options }

  init(for plan: Plan, _ snapshot: Snapshot, _ jobServer: JobServer?, _ progress: Progress) async {
    self.plan = plan
    self.jobServer = jobServer
    self.progress = progress
    self.snapshot = snapshot
    tree = ModuleTree(snapshot.layout)
    let host = snapshot.host
    let isBuilding = !plan.builtModules.isEmpty
    let finding =
      isBuilding || snapshot.options.confinement?.includesScripts == true
      ? await snapshot.confinement() : .notWanted
    if case .possible(let confinement) = finding {
      self.confinement = confinement
    } else {
      confinement = nil
    }
    if isBuilding, case .impossible(let reason) = finding {
      Narrator(host.console).warn("modules are built as root, with access to everything: \(reason)")
    }
    cache = isBuilding ? UsedCache(snapshot.options.cache, in: snapshot.layout) : nil
    sandbox = isBuilding ? await BuildSandbox(on: host, confined: confinement != nil) : BuildSandbox()
  }

  func outcome(of planned: PlannedStep) async -> Outcome {
    var warnings: [String] = []
    do {
      let isCached = try await run(planned.step, planned.basis, &warnings)
      return .done(warnings: warnings, isCached: isCached ? true : nil)
    } catch {
      return .failed(error, warnings: warnings.isEmpty ? nil : warnings)
    }
  }

  /// Carries out a step; the warnings are what the user should know of it, also where it fails.
  ///
  /// - Returns: Whether what it was to make came from the cache.
  private func run(
    _ step: Step, _ basis: Basis, _ warnings: inout [String]
  ) async throws(DKMSError) -> Bool {
    switch step {
    case .add(let id, let source): warnings += try await add(id, source: FilePath(source), basis)
    case .relink(let id, let source): warnings += try await relink(id, source: FilePath(source))
    case .copySource(let id, let directory, let replaces):
      warnings += try await copySource(id, from: FilePath(directory), replaces: replaces)
    case .addWithoutSource(let id, let file):
      warnings += try await addWithoutSource(id, configuration: FilePath(file))
    case .makeKeys(let pair): warnings += try await makeKeys(pair)
    case .build(let id, let kernel): return try await build(id, kernel, basis, &warnings)
    case .loadBuild(let id, let kernel, let directory):
      warnings += try await loadBuild(id, kernel, from: FilePath(directory))
    case .makeTarball(let id, let kernels, let contents, let file):
      warnings += try await makeTarball(id, kernels, contents, FilePath(file))
    case .adopt(let id, let kernel): warnings += try await adopt(id, kernel, basis)
    case .install(let id, let kernel): try await install(id, kernel, basis, &warnings)
    case .uninstall(let id, let kernel): warnings += try await uninstall(id, kernel, basis)
    case .unbuild(let id, let kernel): warnings += try await unbuild(id, kernel)
    case .unregister(let id): warnings += try await unregister(id)
    case .discardKeptSource(let id): warnings += try await discardKeptSource(id)
    case .depmod(let release): warnings += try await depmod(release)
    case .keep(let release): warnings += try keep(release)
    case .load: warnings += try await loadModules()
    case .follow(let command): warnings += try await follow(command)
    }
    return false
  }

  // MARK: Shared

  /// Stops before a change that depends on the output of tools: cancelled tools have said nothing.
  static func checkNotCancelled(_ operation: String, _ id: ModuleID) throws(DKMSError) {
    if Task.isCancelled { throw .system(operation: operation, subject: "\(id)", reason: "interrupted") }
  }

  /// What the dkms.conf said when the plan was made.
  func configuration(_ basis: Basis, of id: ModuleID, for kernel: Kernel?) throws(DKMSError)
    -> ModuleConfiguration
  {
    switch basis.configuration {
    case .read(let configuration)?: return configuration
    case .unreadable(let error)?: throw error
    case nil: throw .configurationMissing(path: layout.sourceLink(id).appending("dkms.conf").string)
    }
  }

  /// Stops if the files that configure a module have changed since the plan was made.
  func checkUnchanged(
    _ basis: Basis, of id: ModuleID, source: FilePath, for kernel: Kernel
  ) throws(DKMSError) {
    guard let planned = basis.configurationFiles else { return }
    guard try ConfigurationReader(snapshot).digest(of: id, source: source, for: kernel) == planned else {
      throw .changedMeanwhile(id, source: source.string)
    }
  }

  /// The console that is told of every command; nil unless the call is verbose.
  var echo: Console? { options.isVerbose ? host.console : nil }

  /// Does something while a registered module is locked.
  ///
  /// It is an error if another run has removed the module.
  func lockedModule<Value: Sendable>(
    _ id: ModuleID, _ mode: DirectoryLock.Mode, _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    try await locked(
      layout.registration(id), mode, "\(id)", whereGone: { overtaken(id, nil, .removed) }, body)
  }

  /// Does something while what is built of a module for a kernel is locked; the module is locked already.
  ///
  /// It is an error if another run has removed the build.
  func lockedBuild<Value: Sendable>(
    _ id: ModuleID, _ kernel: Kernel, _ mode: DirectoryLock.Mode = .exclusive,
    _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    let products = layout.products(id, kernel.release)
    let gone = { overtaken(id, kernel, .unbuilt) }
    return try await locked(products, mode, "\(id) for \(kernel.release)", whereGone: gone) {
      () throws(DKMSError) in
      let isThere = try onFiles { () throws(HostError) in
        try Files.isDirectory(layout.productModules(id, kernel))
      }
      guard isThere else {
        Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
        throw gone()
      }
      return try await body()
    }
  }

  /// Does something while nobody changes any of these builds.
  func lockedBuilds<Value: Sendable>(
    _ id: ModuleID, _ kernels: ArraySlice<Kernel>, _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    guard let kernel = kernels.first else { return try await body() }
    return try await lockedBuild(id, kernel, .shared) { () throws(DKMSError) in
      try await lockedBuilds(id, kernels.dropFirst(), body)
    }
  }

  /// Another run has changed a module since the plan was made; it is named if this one had to wait for it.
  func overtaken(_ id: ModuleID, _ kernel: Kernel?, _ change: Overtaking) -> DKMSError {
    var places = [layout.registration(id)]
    if let kernel {
      places = [layout.products(id, kernel.release)] + places + [layout.kernel(kernel.release)]
    }
    return .overtaken(id, kernel, change, by: rivals.lastHolder(of: places).map { "\($0)" })
  }

  /// Undoes something; where another run has done so meanwhile, that is only worth a remark.
  func undo(_ body: () async throws(DKMSError) -> [String]) async throws(DKMSError) -> [String] {
    do {
      return try await body()
    } catch {
      guard case .overtaken(_, _, let change, _) = error, change.isUndoing else { throw error }
      return ["\(error)"]
    }
  }

  /// Does something while a directory is locked, and says so if it has to wait.
  ///
  /// It is made where there is none, unless there is an error for that.
  func locked<Value: Sendable>(
    _ directory: FilePath, _ mode: DirectoryLock.Mode, _ subject: String,
    whereGone error: (() -> DKMSError)? = nil, _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    let console = host.console
    let lock: DirectoryLock
    do {
      lock = try await DirectoryLock.acquire(
        directory, mode, creates: error == nil, onContention: { rivals.note($0, holds: directory) }
      ) {
        let holder = rivals.lastHolder(of: [directory]).map { " (\($0))" } ?? ""
        console.printError(
          "==> Waiting for another build or installation to finish with \(subject)\(holder)...")
      }
    } catch let failure {
      if let error, failure.errno == .noSuchFileOrDirectory { throw error() }
      throw DKMSError(failure)
    }
    do {
      let value = try await body()
      lock.release()
      return value
    } catch {
      lock.release()
      throw error
    }
  }

  /// Runs a script of a dkms.conf; returns a warning if it cannot be run.
  func runScript(
    _ kind: ScriptKind, of configuration: ModuleConfiguration, for kernel: Kernel?, in directory: FilePath
  ) async throws(DKMSError) -> [String] {
    guard let text = configuration.scripts[kind] else { return [] }
    // The second shell of the reference takes the quotes away.
    let words = text.replacing("\"", with: "").split(separator: " ").map(String.init)
    let name = words.first ?? ""
    guard let program = try executable(name, of: configuration.id, in: directory) else {
      return [try remark(onUnusable: name, kind, of: configuration.id, for: kernel, in: directory)]
    }
    var environment = environment(of: configuration.id, for: kernel)
    // An administrator's script runs where it lies, as with the reference.
    let place = program.starts(with: directory) ? directory : layout.administration(of: configuration.id)
    // The path through the tree is used, not the one that its link leads to.
    environment["PWD"] = place.string
    // Through a shell, because that also runs a script without an interpreter line, and expands its arguments.
    let line = ["-c", #""$0" $1"#, program.string, words.dropFirst().joined(separator: " ")]
    var command = Command("bash", line, environment: environment, directory: place)
    if let confinement, confinement.options.includesScripts {
      command = confinement.command(
        ["bash"] + line, in: place, needs: [directory, layout.dkmsTree, layout.installTree],
        environment: environment)
    }
    command.silenceLimit = options.silenceLimit
    let result = try await host.run(command)
    for line in result.text.split(separator: "\n") { host.console.print(String(line)) }
    for line in result.errorText.split(separator: "\n") { host.console.printError(String(line)) }
    if case .silent(let limit) = result.termination {
      throw .scriptSilent(configuration.id, script: kind, limit: limit)
    }
    guard result.isSuccess else {
      throw .scriptFailed(configuration.id, script: kind, status: result.status, log: nil)
    }
    return []
  }

  /// Runs a script at a point where nothing is undone any more; its failure is only reported.
  func runFinalScript(
    _ kind: ScriptKind, of configuration: ModuleConfiguration, for kernel: Kernel?, in directory: FilePath
  ) async -> [String] {
    do {
      return try await runScript(kind, of: configuration, for: kernel, in: directory)
    } catch {
      return ["\(error)"]
    }
  }

  /// The administrator's own script of that name goes first.
  func executable(
    _ name: String, of id: ModuleID, in directory: FilePath
  ) throws(DKMSError) -> FilePath? {
    let places = places(of: name, of: id, in: directory)
    return try onFiles { () throws(HostError) in try places.firstWhere(Files.isExecutable) }
  }

  private func places(of script: String, of id: ModuleID, in directory: FilePath) -> [FilePath] {
    [layout.administration(of: id), directory]
      .map { $0.appending(FilePath(script).withoutRoot.components) }
  }

  /// Why a script is not run.
  func remark(
    onUnusable name: String, _ kind: ScriptKind, of id: ModuleID, for kernel: Kernel?, in directory: FilePath
  ) throws(DKMSError) -> String {
    let places = places(of: name, of: id, in: directory)
    let reason = try onFiles { () throws(HostError) in
      guard let file = try places.firstWhere(Files.exists) else { return "is not there" }
      guard try Files.isFile(file) else { return "is not a file" }
      return try Files.forbidsExecution(file)
        ? "lies on a file system that is mounted noexec" : "is not executable"
    }
    let subject = "\(id)\(kernel.map { " for \($0.release)" } ?? "")"
    return "\(subject): its \(kind.rawValue) script \(name) was not run, because it \(reason)"
  }

  /// What builds and scripts of a module find in their environment: Makefiles go by these names.
  func environment(of id: ModuleID, for kernel: Kernel?) -> [String: String] {
    var environment = buildEnvironment
    environment["module"] = id.name
    environment["module_version"] = id.version
    if let kernel {
      environment["kernelver"] = kernel.release.description
      environment["arch"] = kernel.architecture
    }
    return environment
  }

  /// What belongs to the kernel, whatever the caller has set.
  static let compilerSettings = ["CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS"]

  /// The caller's environment, less what would change how modules are compiled.
  var buildEnvironment: [String: String] {
    let makes = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"]
    return host.environment.filter { name, _ in !(Self.compilerSettings + makes).contains(name) }
  }
}

extension StepRunner {
  /// Runs a program that must succeed.
  @discardableResult
  func tool(_ program: String, _ arguments: [String]) async throws(DKMSError) -> CommandResult {
    echo?.print("# \(([program] + arguments).joined(separator: " "))")
    let result = try await host.run(Command(program, arguments, environment: buildEnvironment))
    guard result.isSuccess else {
      if case .tooLoud(let limit) = result.termination {
        throw .system(
          operation: "run", subject: "\(program) on \(arguments.last ?? "")",
          reason: "what it prints is too large: more than \(limit >> 10) KiB")
      }
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      throw .system(
        operation: "run", subject: "\(program) on \(arguments.last ?? "")",
        reason: complaint ?? "it ended with status \(result.status)")
    }
    return result
  }
}

/// The other runs that this one had to wait for: those whose changes it finds.
private final class Rivals: Sendable {
  private let holders = Mutex<[FilePath: LockHolder]>([:])

  func note(_ holder: LockHolder, holds directory: FilePath) { holders.withLock { $0[directory] = holder } }

  /// The last known holder of the first of these directories that had one.
  func lastHolder(of directories: [FilePath]) -> LockHolder? {
    let holders = holders.withLock(\.self)
    return directories.lazy.compactMap { holders[$0] }.first
  }
}
