// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  func install(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    let directory = layout.kernel(kernel.release)
    guard Files.isDirectory(directory) else {
      throw .kernelMissing(kernel.release, directory: directory.string)
    }
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await lockedKernel(kernel.release) { () throws(DKMSError) in
        try await installLocked(id, kernel)
      }
    }
  }

  /// Does something while nobody else changes a kernel's modules.
  func lockedKernel<Value: Sendable>(
    _ release: KernelRelease, _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    try await locked(layout.kernel(release), .exclusive, "the modules of kernel \(release)", body)
  }

  private func installLocked(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    let configuration = try await reader.configuration(of: id, for: kernel)
    var warnings = try await preInstall(configuration, kernel)
    let files = try await filesToInstall(configuration, id, kernel, &warnings)
    try Self.checkNotCancelled("install", id)
    let predecessor = installedNames(id, kernel)
    try onFiles { () throws(HostError) in
      try archiveOriginals(of: files.map(\.name), for: id, kernel)
      try Files.makeDirectories(layout.installed(kernel.release))
      for file in files { try put(file, of: id, kernel) }
      try removeLeftovers(of: predecessor.subtracting(files.map(\.name)), kernel)
      try Files.synchronize(layout.installed(kernel.release))
      try Files.link(
        layout.activeLink(id.name, kernel),
        to: FilePath("\(id.version)/\(kernel.release)/\(kernel.architecture)"))
      try Files.synchronize(layout.module(id.name))
      try Files.remove(layout.droppedModules(id, kernel))
    }
    warnings += await runFinalScript(
      .postInstall, of: configuration, for: kernel, in: layout.sourceLink(id))
    return warnings
  }

  /// Whether the caller, or a package, wants it installed whatever speaks against it.
  private func isForced(_ id: ModuleID) -> Bool {
    options.isForced || options.forcedModules.installed.contains(id.name)
  }

  /// A built module on its way to the kernel.
  private struct Installable {
    let name: String
    let file: String
  }

  private func preInstall(
    _ configuration: ModuleConfiguration, _ kernel: Kernel
  ) async throws(DKMSError) -> [String] {
    do {
      return try await runScript(
        .preInstall, of: configuration, for: kernel, in: layout.sourceLink(configuration.id))
    } catch {
      guard isForced(configuration.id) else { throw error }
      return ["\(error); installed all the same"]
    }
  }

  /// The modules that may go into the kernel, at least one where there are any.
  private func filesToInstall(
    _ configuration: ModuleConfiguration, _ id: ModuleID, _ kernel: Kernel, _ warnings: inout [String]
  ) async throws(DKMSError) -> [Installable] {
    let built = tree.moduleFiles(in: layout.productModules(id, kernel))
    var files: [Installable] = []
    var refusals: [String] = []
    for module in configuration.modules {
      let name = module.destinationName
      guard let file = built[name] else { throw .productIncomplete(id, kernel, file: "\(name).ko") }
      if let refusal = await refusal(of: name, file, id, kernel) {
        refusals.append(refusal)
      } else {
        files.append(Installable(name: name, file: file))
      }
    }
    guard !files.isEmpty || refusals.isEmpty else {
      throw .nothingInstalled(id, kernel, reasons: refusals)
    }
    warnings += refusals
    return files
  }

  /// Why the kernel's own module of this name stays; nil where ours may take its place.
  private func refusal(
    of name: String, _ file: String, _ id: ModuleID, _ kernel: Kernel
  ) async -> String? {
    let overridden = options.forcedModules.versionOverridden
    if isForced(id) || options.overridesVersions || overridden.contains(id.name) { return nil }
    var own = KernelTree(kernel.release, in: layout, options: options).modules(named: name)
    if options.keepsInstalled, !tree.isInstalled(id, kernel) {
      own += copies(of: name, in: layout.installed(kernel.release))
    }
    // With several of that name there is no telling which one ours competes with.
    guard own.count == 1, let rival = own.first else { return nil }
    let ours = await version(of: layout.productModules(id, kernel).appending(file))
    let theirs = await version(of: rival)
    if ours == theirs {
      let isSame =
        ours.isKnown || Files.haveEqualContents(rival, layout.productModules(id, kernel).appending(file))
      return isSame ? "\(rival) is the same already" : nil
    }
    guard VersionOrder(ours.version) < VersionOrder(theirs.version) else { return nil }
    return "\(rival) is newer (\(theirs.version), ours is \(ours.version))"
  }

  private struct ModuleVersion: Equatable {
    let version: String
    let sourceVersion: String
    var isKnown: Bool { !version.isEmpty || !sourceVersion.isEmpty }
  }

  private func version(of file: FilePath) async -> ModuleVersion {
    ModuleVersion(
      version: await information("version", of: file),
      sourceVersion: await information("srcversion", of: file))
  }

  private func information(_ field: String, of file: FilePath) async -> String {
    let command = Command("modinfo", ["-F", field, file.string], environment: buildEnvironment)
    guard let result = try? await host.launcher.run(command), result.isSuccess else { return "" }
    return result.text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
  }

  /// Names of the modules that the version installed so far has put into the kernel.
  private func installedNames(_ id: ModuleID, _ kernel: Kernel) -> Set<String> {
    let active = tree.state().installedVersion(of: id.name, for: kernel)
    return active.map { tree.installedNames(of: $0, kernel) } ?? []
  }

  private func put(_ file: Installable, of id: ModuleID, _ kernel: Kernel) throws(HostError) {
    let goal = layout.installed(kernel.release).appending(file.file)
    let product = layout.productModules(id, kernel).appending(file.file)
    if options.linksModules {
      try Files.link(goal, to: product)
    } else {
      try Files.copy(product, to: goal)
    }
    for old in copies(of: file.name, in: layout.installed(kernel.release)) where old != goal {
      try Files.remove(old)
    }
  }

  /// Files of a module in a directory, however compressed.
  func copies(of name: String, in directory: FilePath) -> [FilePath] {
    Compression.allCases.map { directory.appending("\(name).ko\($0.suffix)") }
      .filter { Files.kind($0) != nil }
  }

  private func removeLeftovers(of names: Set<String>, _ kernel: Kernel) throws(HostError) {
    let directory = layout.installed(kernel.release)
    for name in names {
      for file in copies(of: name, in: directory) { try Files.remove(file) }
    }
    // What a killed run was about to rename.
    for file in Files.list(directory) where file.hasSuffix(Files.stagingSuffix) {
      try Files.remove(directory.appending(file))
    }
  }
}
