// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// One build of a module for a kernel, in its own directory.
///
/// It is a class because every step would otherwise copy all of it.
final class ModuleBuild: Sendable {
  let runner: StepRunner
  let id: ModuleID
  let kernel: Kernel
  let kernelTree: KernelTree
  let configuration: ModuleConfiguration
  /// The copy of the source that is built in.
  let scratch: FilePath
  /// What the build itself cannot write to: its log, and the modules that are taken from it.
  let output: FilePath
  /// What keeps the build from harm; nil where it runs as root.
  let confinement: Confinement?
  /// A copy of the source for a build that writes there; nil for others.
  private let sourceView: BuildView?
  /// What is said about a build that is not confined although others are.
  let remarkOnConfinement: String?
  let surroundings: BuildSurroundings
  /// Nil where modules for the kernel are not signed.
  let signer: ModuleSigner?
  let signingProblem: SigningProblem?
  let isSigningForgone: Bool
  /// Identifies the kernel among others of the same release, according to the plan.
  let fingerprint: KernelFingerprint?

  var environment: [String: String] { surroundings.environment }

  init(
    _ runner: StepRunner, _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, scratch: FilePath
  ) async throws(DKMSError) {
    self.runner = runner
    self.id = id
    self.kernel = kernel
    self.scratch = scratch
    output = runner.layout.staging(id, kernel, "output")
    kernelTree = runner.snapshot.kernel(kernel.release)
    fingerprint = basis.fingerprint
    configuration = try runner.configuration(basis, of: id, for: kernel)
    try runner.checkUnchanged(basis, of: id, source: runner.layout.sourceLink(id), for: kernel)
    (confinement, sourceView, remarkOnConfinement) = try Self.confinement(
      runner, configuration, kernel, basis)
    surroundings = try await BuildSurroundings(
      for: kernelTree, over: runner.environment(of: id, for: kernel), runner.options, on: runner.host)
    (signer, signingProblem, isSigningForgone) = try onFiles { [kernelTree] () throws(HostError) in
      let (options, host) = (runner.options.signing, runner.host)
      let signer = try ModuleSigner(for: kernelTree, options, in: runner.layout, on: host)
      return (
        signer, try signer?.problem(), try ModuleSigner.isForgone(for: kernelTree, options, on: host)
      )
    }
  }

  /// How a build is confined.
  ///
  /// One that writes to its source gets a copy of that. But the scripts of an installation run in the source itself, as
  /// root, and may need what the build has left there.
  private static func confinement(
    _ runner: StepRunner, _ configuration: ModuleConfiguration, _ kernel: Kernel, _ basis: Basis
  ) throws(DKMSError) -> (Confinement?, BuildView?, String?) {
    guard let confinement = runner.confinement else { return (nil, nil, nil) }
    let (id, layout) = (configuration.id, runner.layout)
    let source = try onFiles { () throws(HostError) in try Files.resolved(layout.sourceLink(id)) }
    guard let source, SourceReach(in: layout).isPossible(for: configuration, from: source) else {
      return (confinement, nil, nil)
    }
    let scripts = [ScriptKind.preInstall, .postInstall].filter { configuration.scripts[$0] != nil }
    if let script = scripts.first {
      let remark = """
        \(id) is built as root, with access to everything: it builds in its source directory, and its \
        \(script.rawValue) script may need what lies there
        """
      return (nil, nil, remark)
    }
    return (confinement, BuildView(own: layout.staging(id, kernel, "source"), place: source), nil)
  }

  /// Makes the module's product, from the cache where that holds it; adds to the warnings what the user should know, also
  /// where it fails.
  ///
  /// - Returns: Whether it came from the cache.
  func run(_ warnings: inout [String]) async throws(DKMSError) -> Bool {
    warnings += try await checkMeans()
    let key = cacheKey(kernelTree)
    if let key, !runner.options.isForced, let outputs = await restored(key) {
      let log = try openLog()
      log.quote(outputs.log)
      try await deliver(outputs, log, &warnings)
      return true
    }
    try await copySource()
    let log = try openLog()
    runner.progress.began("\(id) for \(kernel.release)", as: "\(id)", log: log.path)
    if let confinement { log.writeNote(on: confinement) }
    try await handOver()
    try await applyPatches(log)
    warnings += try await runScript(.preBuild, log)
    // A script of root's may have made files that make is to change.
    if configuration.scripts[.preBuild] != nil { try await handOver() }
    try await make(log)
    try await deliver(try await takeOutputs(log), log, keepingAs: key, &warnings)
    return false
  }

  private func openLog() throws(DKMSError) -> BuildLog {
    let log = try BuildLog(runner.layout.buildLog(id, kernel), echo: runner.echo)
    log.writeHeader(of: id, kernel, at: runner.host.now())
    return log
  }

  /// Puts what was built into the tree, and into the cache where there is a key for it.
  private func deliver(
    _ outputs: BuildOutputs, _ log: borrowing BuildLog, keepingAs key: CacheKey? = nil,
    _ warnings: inout [String]
  ) async throws(DKMSError) {
    let product = Product(id, kernel, in: runner.layout)
    try await stage(outputs, as: product, log, &warnings)
    try StepRunner.checkNotCancelled("build", id)
    // This comes first: a kill afterwards would otherwise leave a failure on record for what has been built.
    try await forgetFailure()
    try await runner.publish(product, id, kernel)
    // The cache comes after the tree, which may need the last room on the disk, and before a script that may change
    // what was built.
    if let key { await keep(outputs, as: key, log.path) }
    if configuration.scripts[.postBuild] != nil { warnings += try await complete(product, log) }
  }

  // MARK: Steps

  /// Checks, before any work is done, that there is a compiler and something to sign with; returns warnings.
  private func checkMeans() async throws(DKMSError) -> [String] {
    if !runner.options.isForced, let error = surroundings.toolchain.error(for: kernel) { throw error }
    let remark = await surroundings.toolchain.remark(kernel, on: runner.host, environment: environment)
    var warnings = [remarkOnConfinement, remark, try signingProblem.map(remarkOnSigning)]
      .compactMap { $0 }
    if isSigningForgone {
      warnings.append(
        """
        modules for kernel \(kernel.release), which loads only signed ones, are not signed in a chroot; \
        with try_sign_modules=true in framework.conf they are
        """)
    }
    return warnings
  }

  /// What to say about a module without a signature, if the kernel accepts it.
  func remarkOnSigning(_ problem: SigningProblem) throws(DKMSError) -> String {
    if signer?.isEnforced == true { throw .notSigned(id, kernel, problem) }
    let advice = problem.remedy.map { "\n\($0)" } ?? ""
    return "modules for kernel \(kernel.release) are not signed: \(problem)\(advice)"
  }

  private func copySource() async throws(DKMSError) {
    let source = runner.layout.sourceLink(id)
    let names = try onFiles { () throws(HostError) in try Files.list(source) }
    guard names.count(where: { !$0.hasPrefix(".") }) > 1 else {
      throw .sourceEmpty(id, directory: source.string)
    }
    try onFiles(makeDirectories)
    try await runner.tool("cp", ["-a", "--reflink=auto", "\(source)/.", scratch.string])
    if let sourceView {
      try await runner.tool("cp", ["-a", "--reflink=auto", "\(source)/.", sourceView.own.string])
    }
    let overlay = runner.layout.configurationDirectory.appending(id.name).appending("patches")
    if try onFiles({ () throws(HostError) in try Files.isDirectory(overlay) }) {
      try onFiles { () throws(HostError) in try Files.makeDirectories(scratch.appending("patches")) }
      try await runner.tool("cp", ["-a", "\(overlay)/.", scratch.appending("patches").string])
    }
  }

  /// Makes the directories of this build, with nothing in them.
  func makeDirectories() throws(HostError) {
    try discardStaleScratch()
    try Files.makeDirectories(scratch)
    try Files.makeDirectories(runner.layout.build(id))
    for directory in [output, sourceView?.own].compactMap({ $0 }) {
      try Files.remove(directory)
      try Files.makeDirectories(directory)
    }
  }

  /// A make that outlived its killed parent may still be writing there, so the directory is renamed before it
  /// is removed.
  private func discardStaleScratch() throws(HostError) {
    guard try Files.exists(scratch) else { return }
    let aside = runner.layout.staging(id, kernel, "stale-\(runner.host.now())")
    do {
      try Files.rename(scratch, to: aside)
    } catch {
      // Nothing writes to what a lower layer of an overlay holds, which cannot be renamed.
      guard error.errno == .improperLink else { throw error }
      return try Files.remove(scratch)
    }
    try? Files.remove(aside)
  }

  /// Gives the build directory, but no file that a link in it leads to, to the user who builds.
  func handOver() async throws(DKMSError) {
    guard let user = confinement?.user else { return }
    let directories = [scratch, sourceView?.own].compactMap { $0?.string }
    try await runner.tool("chown", ["-R", "-h", "\(user.identifier):\(user.group)"] + directories)
  }

  private func applyPatches(_ log: borrowing BuildLog) async throws(DKMSError) {
    for patch in configuration.patches {
      guard !patch.split(separator: "/").contains("..") else { throw .patchOutside(id, patch: patch) }
      let file = scratch.appending("patches").appending(FilePath(patch).components)
      guard try onFiles({ () throws(HostError) in try Files.isFile(file) }) else {
        throw .patchMissing(id, patch: patch, directory: runner.layout.source(id).appending("patches").string)
      }
      let result = try await run(
        "Applying patch \(patch)", "patch -p1 < ./patches/'\(patch)'", log,
        as: "patch -p1 < ./patches/\(patch)")
      guard result.isSuccess else { throw .patchFailed(id, kernel, patch: patch, log: failureLog) }
    }
  }

  func runScript(_ kind: ScriptKind, _ log: borrowing BuildLog) async throws(DKMSError) -> [String] {
    guard let text = configuration.scripts[kind] else { return [] }
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    let name = words.first ?? ""
    guard let program = try runner.executable(name, of: id, in: scratch) else {
      return [try runner.remark(onUnusable: name, kind, of: id, for: kernel, in: scratch)]
    }
    // The module's own script is called by its path inside the build.
    let isOwn = program.starts(with: scratch)
    let place = isOwn ? runner.layout.build(id) : runner.layout.administration(of: id)
    let command = "cd \(place)/ && \(place)/\(words.joined(separator: " "))"
    let result = try await run(
      "Running the \(kind.rawValue.lowercased()) script", command, log,
      isConfined: confinement?.options.includesScripts == true)
    guard result.isSuccess else {
      throw .scriptFailed(
        id, script: kind, status: result.status, firstError: firstError(in: log), log: failureLog)
    }
    return []
  }

  private func make(_ log: borrowing BuildLog) async throws(DKMSError) {
    let result = try await run(
      "Building module(s)", makeCommand(), log, as: makeCommand(jobs: runner.jobServer?.jobs))
    if result.isSuccess { return }
    if let problem = await headersProblem() {
      let package = try? kernelTree.headersPackage()
      throw .headersDamaged(id, kernel, problem: problem, package: package, log: failureLog)
    }
    throw .buildFailed(id, kernel, firstError: firstError(in: log), log: failureLog)
  }

  /// A look that fails leaves the build's own words to tell what was wrong.
  private func headersProblem() async -> String? {
    try? await kernelTree.headersProblem(on: runner.host)
  }

  func firstError(in log: borrowing BuildLog) -> String? {
    BuildLog.tellingError(in: log.path, buildDirectories: [scratch, runner.layout.build(id)])
  }

  /// The reference's `make -jN KERNELRELEASE=K`.
  ///
  /// The log shows the number of jobs, but make runs without one: the jobserver, which all builds share, sets
  /// it.
  private func makeCommand(jobs: Int? = nil) -> String {
    let command = Self.withoutIdleQuotes(configuration.makeCommand)
    guard command == "make" || command.hasPrefix("make ") else { return command }
    let limit = jobs.map { " -j\($0)" } ?? (runner.jobServer == nil ? " -j" : "")
    return "make\(limit) KERNELRELEASE=\(kernel.release)\(command.dropFirst(4))"
  }

  /// A command without double quotes around plain text: the reference takes them away, and they change nothing.
  static func withoutIdleQuotes(_ command: String) -> String {
    let parts = command.split(separator: "\"", omittingEmptySubsequences: false)
    let quoted = parts.indices.filter { $0 % 2 == 1 }.map { parts[$0] }
    let arePlain = quoted.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { !" \t\n'`$&|;<>()*?[]{}~#!\\".utf8.contains($0) }
    }
    return parts.count % 2 == 1 && arePlain ? parts.joined() : command
  }

  /// Runs a command in the build directory; `logged` is the text for the log, if it differs from the command.
  private func run(
    _ title: String, _ text: String, _ log: borrowing BuildLog, as logged: String? = nil,
    isConfined: Bool = true
  ) async throws(DKMSError) -> CommandResult {
    let group = isConfined ? confinement.flatMap(\.options.controlGroup) : nil
    defer { group?.remove() }
    var command = command(text, isConfined: isConfined, group)
    command.silenceLimit = runner.options.silenceLimit
    let result = try await log.run(title, logged ?? text, command, on: runner.host)
    if case .silent(let limit) = result.termination {
      throw .buildSilent(id, kernel, limit: limit, log: failureLog)
    }
    if let limit = confinement?.options.limit(reachedBy: result, group) {
      throw .buildStopped(id, kernel, limit, log: failureLog)
    }
    return result
  }

  private func command(_ text: String, isConfined: Bool, _ group: ControlGroup?) -> Command {
    let build = BuildView(own: scratch, place: runner.layout.build(id))
    var environment = environment
    if let flags = surroundings.makeFlags(runner.jobServer) { environment["MAKEFLAGS"] = flags }
    // The first error is looked for in the log, in English.
    environment["LC_ALL"] = "C"
    let descriptors = runner.jobServer?.descriptors ?? [:]
    let others = [sourceView].compactMap { $0 }
    guard isConfined, let confinement else {
      return runner.sandbox.shell(
        text, in: build, seeing: others, environment: environment, descriptors: descriptors)
    }
    environment.merge(["HOME": "/tmp", "LOGNAME": confinement.user.name, "USER": confinement.user.name]) {
      $1
    }
    return confinement.command(
      ["bash", "-c", text], in: build.place, views: [build] + others,
      needs: [kernelTree.directory, kernelTree.headers, runner.layout.dkmsTree, runner.layout.sourceTree],
      environment: environment, descriptors: descriptors, group: group)
  }
}
