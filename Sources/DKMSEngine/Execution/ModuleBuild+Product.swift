// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What a build has made, or an earlier one like it, before it is signed and compressed.
struct BuildOutputs {
  /// What the modules export, if the build says it.
  var symbols: FilePath?
  /// The modules, stripped, in the order of the configuration.
  var modules: [FilePath] = []
  /// The log of the earlier build; empty for one of this run.
  var log: [UInt8] = []
}

/// From the build directory to the tree.
extension ModuleBuild {
  func forgetFailure() async throws(DKMSError) {
    do throws(HostError) {
      try await FailureRecord(runner.layout).forget(id, kernel)
    } catch {
      throw DKMSError(error)
    }
  }

  /// Runs the script that sees the product in its place.
  ///
  /// If it fails, the product is not installed: the script may have been meant to finish it, say by signing
  /// it.
  func complete(_ product: Product, _ log: borrowing BuildLog) async throws(DKMSError) -> [String] {
    let warnings: [String]
    do {
      try onFiles(putSignedModulesBack)
      warnings = try await runScript(.postBuild, log)
    } catch {
      try onFiles { () throws(HostError) in try product.withdraw() }
      throw error
    }
    try onFiles { () throws(HostError) in
      try Files.copy(log.path, to: runner.layout.product(id, kernel).appending("log/make.log"))
      try product.finish()
    }
    return warnings
  }

  /// Has a script find the modules as they are installed, where root built them.
  private func putSignedModulesBack() throws(HostError) {
    guard confinement == nil else { return }
    for module in configuration.modules where try Files.isFile(signedCopy(of: module)) {
      try Files.copy(signedCopy(of: module), to: scratch.appending(FilePath(module.builtPath).components))
    }
  }

  /// Takes from the build directory what the build was to make, and strips it.
  func takeOutputs(_ log: borrowing BuildLog) async throws(DKMSError) -> BuildOutputs {
    var outputs = BuildOutputs(symbols: try result("Module.symvers", log))
    for module in configuration.modules {
      guard var built = try result(module.builtPath, log) else {
        throw .moduleNotProduced(
          id, kernel, file: module.builtPath, firstError: firstError(in: log), log: failureLog)
      }
      try checkVermagic(of: built, module)
      if confinement != nil {
        let taken = output.appending("\(module.destinationName).ko")
        try onFiles { [built] () throws(HostError) in try Files.copy(built, to: taken) }
        built = taken
      }
      if module.isStripped, let strip = surroundings.toolchain.strip {
        try await runner.tool(strip, ["-g", built.string])
      }
      outputs.modules.append(built)
    }
    return outputs
  }

  /// Collects the built modules beside their destination, signed and compressed.
  func stage(
    _ outputs: BuildOutputs, as product: Product, _ log: borrowing BuildLog, _ warnings: inout [String]
  ) async throws(DKMSError) {
    let staged = product.staged
    let modules = staged.appending("module")
    try onFiles { () throws(HostError) in
      try Files.remove(staged)
      try Files.makeDirectories(modules)
      try Files.makeDirectories(staged.appending("log"))
      if let symbols = outputs.symbols { try Files.copy(symbols, to: modules.appending("Module.symvers")) }
    }
    let compression = try onFiles { () throws(HostError) in try kernelTree.compression() }
    for (module, built) in zip(configuration.modules, outputs.modules) {
      if module.isStripped, surroundings.toolchain.strip == nil {
        warnings.append(Self.remarkOnStripping(kernel))
      }
      let file = modules.appending("\(module.destinationName).ko")
      let signed = try await sign(built, module, &warnings)
      try onFiles { () throws(HostError) in try Files.copy(signed, to: file) }
      try await compress(file, compression)
    }
    try onFiles { () throws(HostError) in
      try Files.copy(log.path, to: staged.appending("log/make.log"))
      try runner.noteDroppedModules(
        id, kernel, keeping: configuration.modules.map(\.destinationName), in: staged)
      try noteDependencies(in: staged)
      try noteKernel(in: staged)
      if configuration.scripts[.postBuild] != nil { try product.markUnfinished() }
      for directory in [modules, staged.appending("log"), staged] { try Files.synchronize(directory) }
    }
  }

  /// A file that the build has left; nil where there is none.
  ///
  /// What an unprivileged build has left may be a link to what it could not read. Nothing of the build runs any more, so
  /// it stays what it is.
  private func result(_ name: String, _ log: borrowing BuildLog) throws(DKMSError) -> FilePath? {
    let path = scratch.appending(FilePath(name).components)
    let found = try onFiles { () throws(HostError) in
      guard try Files.isFile(path) else { return (file: FilePath?.none, isInside: true) }
      guard confinement != nil else { return (path, true) }
      guard let file = try Files.resolved(path), let place = try Files.resolved(scratch) else {
        return (nil, true)
      }
      return (file, file.starts(with: place))
    }
    guard found.isInside else {
      throw .moduleNotProduced(
        id, kernel, file: name, firstError: "what is there leads out of the build directory", log: failureLog)
    }
    return found.file
  }

  private static func remarkOnStripping(_ kernel: Kernel) -> String {
    """
    modules for kernel \(kernel.release), which clang has built, keep their debug sections, because llvm-strip is not \
    installed
    pacman -S llvm
    """
  }

  /// The file to install: a signed copy, or the module itself where it is not signed.
  ///
  /// The copy is signed in the build's directory, which is removed with anything left half written; the cache keeps what
  /// needs no key.
  private func sign(
    _ built: FilePath, _ module: ModuleFile, _ warnings: inout [String]
  ) async throws(DKMSError) -> FilePath {
    guard let signer, signingProblem == nil else { return built }
    let copy = signedCopy(of: module)
    try onFiles { () throws(HostError) in
      try Files.makeDirectories(copy.removingLastComponent())
      try Files.copy(built, to: copy)
    }
    runner.echo?.print("# \(signer.description(of: copy))")
    if let problem = await signer.sign(copy, environment: environment) {
      warnings.append(try remarkOnSigning(problem))
    }
    return copy
  }

  private func signedCopy(of module: ModuleFile) -> FilePath {
    output.appending("signed/\(module.destinationName).ko")
  }

  /// Notes the versions it was built with, if the conf says that a change of them matters.
  private func noteDependencies(in staged: FilePath) throws(HostError) {
    guard configuration.rebuildsWithDependencies, !runner.options.isForced else { return }
    let state = try runner.tree.state()
    for name in configuration.buildDepends {
      guard let dependency = state.newestBuild(of: name, for: kernel) else { continue }
      let note = staged.appending("\(Layout.dependencyPrefix)\(name)")
      try Files.write(Array("\(dependency.version)\n".utf8), to: note)
    }
  }

  /// Identifies the kernel as the plan or, where that does not, the headers do.
  func notedFingerprint() throws(HostError) -> KernelFingerprint? {
    if let fingerprint { return fingerprint }
    return try kernelTree.fingerprint()
  }

  private func noteKernel(in staged: FilePath) throws(HostError) {
    guard let fingerprint = try notedFingerprint() else { return }
    let note = staged.appending(runner.layout.fingerprint(id, kernel).components.suffix(1))
    try Files.write(Array(fingerprint.text.utf8), to: note)
  }

  /// A Makefile that asks `uname -r` builds for the wrong kernel without saying so.
  private func checkVermagic(of file: FilePath, _ module: ModuleFile) throws(DKMSError) {
    let bytes = try onFiles { () throws(HostError) in try Files.read(file) }
    guard let found = ModuleInformation(bytes).release else { return }
    guard found == kernel.release.description else {
      throw .vermagicMismatch(id, kernel, file: module.builtPath, found: found, log: failureLog)
    }
  }

  private func compress(_ file: FilePath, _ compression: Compression) async throws(DKMSError) {
    let options = runner.options
    switch compression {
    case .none: return
    case .gzip: try await runner.tool("gzip", options.gzipArguments + ["-f", file.string])
    case .xz: try await runner.tool("xz", options.xzArguments + ["-f", file.string])
    case .zstd: try await runner.tool("zstd", options.zstdArguments + ["-f", file.string])
    }
    let compressed = file.removingLastComponent()
      .appending((file.lastComponent?.string ?? "") + compression.suffix)
    try onFiles { () throws(HostError) in try Files.synchronize(compressed) }
  }

  /// Where the log will be when the build has failed.
  var failureLog: String { runner.layout.failureLog(id, kernel).string }
}
