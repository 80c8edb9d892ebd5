// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Takes a module out of a kernel's directory.
  ///
  /// The names come from what was built, so it works when the source is gone.
  func uninstall(_ id: ModuleID, _ kernel: Kernel, _ basis: Basis) async throws(DKMSError) -> [String] {
    try await undo { () throws(DKMSError) in
      try await lockedModule(id, .shared) { () throws(DKMSError) in
        try await lockedBuild(id, kernel) { () throws(DKMSError) in
          guard try onFiles({ () throws(HostError) in try tree.isInstalled(id, kernel) }) else {
            throw overtaken(id, kernel, .uninstalled)
          }
          do throws(DKMSError) {
            try await lockedKernel(kernel.release) { () throws(DKMSError) in try takeOut(id, kernel, basis) }
          } catch {
            // A kernel that is gone needs no lock: what is built for it is locked.
            guard case DKMSError.kernelMissing = error else { throw error }
            try takeOut(id, kernel, basis)
          }
          return try await postRemove(id, kernel, basis)
        }
      }
    }
  }

  private func takeOut(_ id: ModuleID, _ kernel: Kernel, _ basis: Basis) throws(DKMSError) {
    let installed = layout.installed(kernel.release)
    try onFiles { () throws(HostError) in
      // Everything is looked at before anything is removed: a look that fails half-way would otherwise leave
      // half of it.
      let originals = try originalsToRestore(of: id, kernel, basis)
      let leftovers = try Files.list(installed).filter { $0.hasSuffix(Files.stagingSuffix) }
      var doomed = leftovers.map(installed.appending)
      for name in try tree.installedNames(of: id, kernel).sorted() {
        // Another module may have put one of the same name there.
        doomed += try copies(of: name, in: installed).where { file throws(HostError) in
          try !tree.isProduct(file, for: kernel, exceptOf: id.name)
        }
      }
      for file in doomed { try Files.remove(file) }
      try forgetDisplaced(id, kernel)
      Files.removeEmptyDirectories(from: installed, upTo: layout.kernel(kernel.release))
      // This comes before anything is put back: while the link is there, whatever is installed counts as
      // ours.
      try Files.remove(layout.activeLink(id.name, kernel))
      try Files.synchronize(layout.module(id.name))
      try restore(originals, of: id, kernel)
    }
  }

  /// Takes out what a killed installation has put into the kernel and not declared.
  ///
  /// Once the product has changed or gone, nothing else says that it is ours.
  func takeOutUndeclared(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    guard try !onFiles({ () throws(HostError) in try undeclared(id, kernel) }).isEmpty else { return }
    try await lockedKernel(kernel.release) { () throws(DKMSError) in
      try onFiles { () throws(HostError) in
        for file in try undeclared(id, kernel) { try Files.remove(file) }
      }
      Files.removeEmptyDirectories(
        from: layout.installed(kernel.release), upTo: layout.kernel(kernel.release))
    }
  }

  private func undeclared(_ id: ModuleID, _ kernel: Kernel) throws(HostError) -> [FilePath] {
    guard try !tree.isDeclared(id.name, kernel) else { return [] }
    let modules = layout.productModules(id, kernel)
    let files = try tree.moduleFiles(in: modules).values.map(layout.installed(kernel.release).appending)
    return try files.where { file throws(HostError) in
      guard let name = file.lastComponent,
        try Files.haveEqualContents(file, modules.appending(name))
      else { return false }
      return try !tree.isProduct(file, for: kernel, exceptOf: id.name)
    }
  }

  private func postRemove(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis
  ) async throws(DKMSError) -> [String] {
    let sources = [layout.sourceLink(id), layout.keptSource(id)]
    let source = try onFiles { () throws(HostError) in try sources.firstWhere(Files.isDirectory) }
    switch basis.configuration {
    case .read(let configuration)?:
      guard let source else { return [] }
      return await runFinalScript(.postRemove, of: configuration, for: kernel, in: source)
    case .unreadable(let error)? where source != nil: return ["\(error)"]
    case .unreadable?, nil: return []
    }
  }

  func unbuild(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    let products = layout.products(id, kernel.release)
    return try await undo { () throws(DKMSError) in
      try await lockedModule(id, .shared) { () throws(DKMSError) in
        try await lockedBuild(id, kernel) { () throws(DKMSError) in
          guard try !onFiles({ () throws(HostError) in try tree.isInstalled(id, kernel) }) else {
            throw overtaken(id, kernel, .installed)
          }
          try await takeOutUndeclared(id, kernel)
          try onFiles { () throws(HostError) in
            // First, or a half-made product could take the place of one that is half deleted.
            for purpose in ["build", "product"] { try Files.remove(layout.staging(id, kernel, purpose)) }
            try Product(id, kernel, in: layout).discard()
          }
          Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
          return []
        }
      }
    }
  }
}

extension StepRunner {
  /// Keeps copies of modules of these names that are in the way, unless they were built here.
  ///
  /// Modules in other places stay: depmod prefers ours, and their package still finds its files.
  ///
  /// - Returns: The files, with the modules that had installed them. They are left for ours to replace, so that the
  ///   kernel has the module at every moment.
  func archiveOriginals(
    of names: [String], for id: ModuleID, _ kernel: Kernel
  ) throws(HostError) -> [(file: FilePath, installer: ModuleID?)] {
    // Where this module is installed already, what lies in its place is its own, but for what it has left to others.
    let isDeclared = try tree.isDeclared(id.name, kernel)
    let refused = try tree.refusedNames(of: id.name, kernel)
    let isOwn = { (name: String, file: FilePath) in
      isDeclared && !refused.contains(name)
        && file.removingLastComponent() == layout.installed(kernel.release)
    }
    var kept: [(file: FilePath, installer: ModuleID?)] = []
    // Another run may have changed the kernel since the plan was made.
    let kernelTree = KernelTree(kernel.release, in: layout, options: options)
    let originals = OriginalModules(inTheWayOf: id.name, kernel, in: layout)
    for name in names {
      for file in try kernelTree.competitors(named: name) where !isOwn(name, file) {
        // What this version built is no original, even if a killed run left it without its link. But what
        // another module has installed is put away and comes back like an original.
        let installer = try tree.installer(of: file, for: kernel, exceptOf: id.name)
        if installer == nil, try tree.isProduct(file, for: kernel) { continue }
        try originals.keep(file)
        kept.append((file, installer))
      }
    }
    return kept
  }

  /// Forgets installations of this module that others have put away: once it is uninstalled, they must not
  /// come back.
  func forgetDisplaced(_ id: ModuleID, _ kernel: Kernel) throws(HostError) {
    for record in try tree.state().modules where record.id.name != id.name {
      let originals = OriginalModules(inTheWayOf: record.id.name, kernel, in: layout)
      for kept in try originals.all() where try tree.isProduct(kept.file, of: id, kernel) {
        try originals.forget(kept)
      }
      try originals.tidy()
    }
  }

  /// Modules that were in the way, and where each one goes back to; those without a place stay in the
  /// archive.
  func originalsToRestore(
    of id: ModuleID, _ kernel: Kernel, _ basis: Basis
  ) throws(HostError) -> [(kept: OriginalModules.Kept, home: FilePath)] {
    try OriginalModules(inTheWayOf: id.name, kernel, in: layout).all().compactMap { kept in
      let home = kept.isNoted ? kept.home : assumedHome(of: kept, id, kernel, basis)
      return home.map { (kept, $0) }
    }
  }

  /// Puts them back.
  func restore(
    _ kept: [(kept: OriginalModules.Kept, home: FilePath)], of id: ModuleID, _ kernel: Kernel
  ) throws(HostError) {
    let originals = OriginalModules(inTheWayOf: id.name, kernel, in: layout)
    for (kept, home) in kept { try originals.putBack(kept, to: home) }
    try originals.tidy()
  }

  /// Old versions of the reference noted no place; they put a module where the dkms.conf says.
  private func assumedHome(
    of kept: OriginalModules.Kept, _ id: ModuleID, _ kernel: Kernel, _ basis: Basis
  ) -> FilePath? {
    guard kept.file.removingLastComponent() == layout.originals(id.name, kernel),
      let configuration = basis.configuration?.configuration,
      let module = configuration.modules.first(where: { $0.destinationName == kept.moduleName })
    else { return nil }
    return layout.place(module.destinationLocation, in: kernel.release)?
      .appending(kept.file.components.suffix(1))
  }
}
