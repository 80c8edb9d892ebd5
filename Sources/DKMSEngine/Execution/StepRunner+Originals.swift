// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Takes modules of these names out of the way, unless they were built here.
  ///
  /// Modules in other places stay: depmod prefers ours, and their package still finds its files.
  func archiveOriginals(of names: [String], for id: ModuleID, _ kernel: Kernel) throws(HostError) {
    // What was in the way is put away already; what is there now is ours.
    guard try !tree.isDeclared(id.name, kernel) else { return }
    // Another run may have changed the kernel since the plan was made.
    let kernelTree = KernelTree(kernel.release, in: layout, options: options)
    let originals = OriginalModules(inTheWayOf: id.name, kernel, in: layout)
    for name in names {
      for file in try kernelTree.competitors(named: name) {
        // What this version built is no original, even if a killed run left it without its link. But what
        // another module has installed is put away and comes back like an original.
        if try tree.isProduct(file, for: kernel),
          try !tree.isInstallation(file, for: kernel, exceptOf: id.name)
        {
          continue
        }
        try originals.keep(file)
      }
    }
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
