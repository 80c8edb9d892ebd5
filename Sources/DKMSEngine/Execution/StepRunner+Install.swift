// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  func install(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, _ warnings: inout [String]
  ) async throws(DKMSError) {
    let record = FailureRecord(layout)
    do {
      try await installUnrecorded(id, kernel, basis, &warnings)
      try? await record.forgetInstallation(id, kernel)
    } catch {
      if !Task.isCancelled, error.isFailure { try? await record.note(installation: error, of: id, kernel) }
      throw error
    }
  }

  private func installUnrecorded(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, _ warnings: inout [String]
  ) async throws(DKMSError) {
    try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await lockedBuild(id, kernel) { () throws(DKMSError) in
        try await lockedKernel(kernel.release) { () throws(DKMSError) in
          try await installLocked(id, kernel, basis, &warnings)
        }
      }
    }
  }

  /// Does something while nobody else changes a kernel's modules.
  ///
  /// It is an error if the kernel is gone; to lock it must not bring it back.
  func lockedKernel<Value: Sendable>(
    _ release: KernelRelease, _ body: () async throws(DKMSError) -> Value
  ) async throws(DKMSError) -> Value {
    let directory = layout.kernel(release)
    return try await locked(
      directory, .exclusive, "the modules of kernel \(release)",
      whereGone: { .kernelMissing(release, directory: directory.string) }, body)
  }

  private func installLocked(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, _ warnings: inout [String]
  ) async throws(DKMSError) {
    let configuration = try configuration(basis, of: id, for: kernel)
    try checkUnchanged(basis, of: id, source: layout.sourceLink(id), for: kernel)
    warnings += try await preInstall(configuration, kernel)
    let (files, refused) = try await filesToInstall(configuration, id, kernel, basis, &warnings)
    try Self.checkNotCancelled("install", id)
    let predecessor = try onFiles { () throws(HostError) in try installedNames(id, kernel) }
    warnings += try onFiles { () throws(HostError) in
      let originals = try archiveOriginals(of: files.map(\.name), for: id, kernel)
      try Files.makeLastingDirectories(layout.installed(kernel.release))
      for file in files { try put(file, of: id, kernel) }
      let goals = files.map { layout.installed(kernel.release).appending($0.file) }
      for file in originals.map(\.file) where !goals.contains(file) { try Files.remove(file) }
      try removeLeftovers(of: predecessor.subtracting(files.map(\.name)), kernel)
      try Files.synchronize(layout.installed(kernel.release))
      try noteRefusedModules(refused, of: id, kernel)
      try Files.link(
        layout.activeLink(id.name, kernel),
        to: FilePath("\(id.version)/\(kernel.release)/\(kernel.architecture)"))
      try Files.synchronize(layout.module(id.name))
      try Files.remove(layout.droppedModules(id, kernel))
      return originals.compactMap { file, installer in
        installer.map { Self.rivalry(over: file, between: id, and: $0, kernel) }
      }
    }
    warnings += await runFinalScript(
      .postInstall, of: configuration, for: kernel, in: layout.sourceLink(id))
  }

  private static func rivalry(
    over file: FilePath, between id: ModuleID, and rival: ModuleID, _ kernel: Kernel
  ) -> String {
    """
    \(id) and \(rival) both install \(file.lastComponent?.string ?? "") for \(kernel.release): that of \(id) takes the \
    place, and that of \(rival) comes back when \(id) is uninstalled
    """
  }

  /// Whether the caller, or a package, wants it installed in spite of obstacles.
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
      return ["\(error); installed anyway"]
    }
  }

  /// The modules that may go into the kernel, at least one where there are any, and the names of those that may not.
  private func filesToInstall(
    _ configuration: ModuleConfiguration, _ id: ModuleID, _ kernel: Kernel, _ basis: Basis,
    _ warnings: inout [String]
  ) async throws(DKMSError) -> (files: [Installable], refused: [String]) {
    let built = try onFiles { () throws(HostError) in
      try tree.moduleFiles(in: layout.productModules(id, kernel))
    }
    let refused = try await self.refusals(of: built, id, kernel, basis)
    var files: [Installable] = []
    var refusals: [String] = []
    for module in configuration.modules {
      let name = module.destinationName
      guard let file = built[name] else { throw .productIncomplete(id, kernel, file: "\(name).ko") }
      if let refusal = refused[name] {
        refusals.append(refusal)
      } else {
        files.append(Installable(name: name, file: file))
      }
    }
    guard !files.isEmpty || refusals.isEmpty else {
      throw .nothingInstalled(id, kernel, reasons: refusals)
    }
    warnings += refusals
    return (files, refused.keys.sorted())
  }

  /// Why the kernel's modules of these names stay, by name, judged by what the plan recorded about them.
  private func refusals(
    of built: [String: String], _ id: ModuleID, _ kernel: Kernel, _ basis: Basis
  ) async throws(DKMSError) -> [String: String] {
    if basis.overrulesKernel { return [:] }
    var refusals: [String: String] = [:]
    for var competition in basis.competitions {
      guard let name = built[competition.name] else { continue }
      // Another run may have installed the same since the plan was made.
      competition.rivals = try onFiles { () throws(HostError) in
        try competition.rivals.where { rival throws(HostError) in
          try !tree.isOwnInstallation(FilePath(rival.path), of: id, kernel)
        }
      }
      if competition.built == nil {
        // It was built for this installation.
        let file = layout.productModules(id, kernel).appending(name)
        let answer = await ModuleInformation.read([file], on: host)[file] ?? .unknown
        competition.built = try onFiles { () throws(HostError) in try answer.identity(of: file) }
        for index in competition.rivals.indices {
          let rival = FilePath(competition.rivals[index].path)
          competition.rivals[index].isSameFile = try onFiles { () throws(HostError) in
            try Files.haveEqualContents(file, rival)
          }
        }
      }
      refusals[competition.name] = competition.refusal
    }
    return refusals
  }

  /// Names of the modules that the version installed so far has put into the kernel.
  private func installedNames(_ id: ModuleID, _ kernel: Kernel) throws(HostError) -> Set<String> {
    guard let active = try tree.state().installedVersion(of: id.name, for: kernel) else { return [] }
    return try tree.installedNames(of: active, kernel)
  }

  private func put(_ file: Installable, of id: ModuleID, _ kernel: Kernel) throws(HostError) {
    let goal = layout.installed(kernel.release).appending(file.file)
    let product = layout.productModules(id, kernel).appending(file.file)
    if options.linksModules {
      try Files.link(goal, to: product)
    } else {
      try Files.copy(product, to: goal)
    }
    let former = try copies(of: file.name, in: layout.installed(kernel.release)).filter { $0 != goal }
    // A power loss may keep what comes later and lose what came before.
    if !former.isEmpty { try Files.synchronize(layout.installed(kernel.release)) }
    for old in former { try Files.remove(old) }
  }

  /// Files of a module in a directory, however compressed.
  func copies(of name: String, in directory: FilePath) throws(HostError) -> [FilePath] {
    try Compression.allCases.map { directory.appending("\(name).ko\($0.suffix)") }.where(Files.exists)
  }

  private func removeLeftovers(of names: Set<String>, _ kernel: Kernel) throws(HostError) {
    let directory = layout.installed(kernel.release)
    for name in names {
      for file in try copies(of: name, in: directory) { try Files.remove(file) }
    }
    // What a killed run was about to rename.
    for file in try Files.list(directory) where file.hasSuffix(Files.stagingSuffix) {
      try Files.remove(directory.appending(file))
    }
  }
}

extension StepRunner {
  /// Once an installed product is replaced, nothing else says which modules it had, and which of them were installed.
  func noteDroppedModules(
    _ id: ModuleID, _ kernel: Kernel, keeping kept: [String], in staged: FilePath
  ) throws(HostError) {
    guard try tree.isInstalled(id, kernel) else { return }
    let dropped = try tree.installedNames(of: id, kernel).subtracting(kept)
    let refused = try tree.refusedNames(of: id, kernel)
    for (note, names) in [
      (layout.droppedModules(id, kernel), dropped), (layout.refusedModules(id, kernel), refused),
    ] where !names.isEmpty {
      try Files.write(
        Array(names.sorted().joined(separator: "\n").utf8), to: staged.appending(note.components.suffix(1)))
    }
  }

  /// Notes, before it is declared, which modules an installation leaves to others: what lies in their place is not ours.
  private func noteRefusedModules(
    _ names: [String], of id: ModuleID, _ kernel: Kernel
  ) throws(HostError) {
    let note = layout.refusedModules(id, kernel)
    if names.isEmpty {
      guard try Files.exists(note) else { return }
      try Files.remove(note)
    } else {
      try Files.write(Array(names.joined(separator: "\n").utf8), to: note)
    }
    try Files.synchronize(layout.product(id, kernel))
  }

  /// Makes a staged product the tree's.
  func publish(_ product: Product, _ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    try await takeOutUndeclared(id, kernel)
    try onFiles { () throws(HostError) in try product.publish() }
  }
}

extension DKMSError {
  /// Whether it tells why a module cannot be installed, and not that it need not be.
  fileprivate var isFailure: Bool {
    if case .overtaken = self { return false }
    return !isSkip
  }
}
