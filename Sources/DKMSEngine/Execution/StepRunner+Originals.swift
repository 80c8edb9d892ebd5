// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Takes modules of these names out of the way, unless they were built here.
  ///
  /// Those elsewhere stay: depmod takes ours in their place, and their package still finds its files.
  func archiveOriginals(of names: [String], for id: ModuleID, _ kernel: Kernel) throws(HostError) {
    // What was in the way is put away already; what is there now is ours.
    guard Files.kind(layout.activeLink(id.name, kernel)) != .link else { return }
    let kernelTree = KernelTree(kernel.release, in: layout, options: options)
    let originals = OriginalModules(inTheWayOf: id.name, kernel, in: layout)
    for name in names {
      // What was built here is nobody's original, even if a killed run left it without its link; but another
      // module's installation comes back like one.
      for file in kernelTree.competitors(named: name)
      where !tree.isProduct(file, for: kernel) || tree.isInstallation(file, for: kernel, exceptOf: id.name) {
        try originals.keep(file)
      }
    }
  }

  /// Forgets installations of a module that others have put away: once it is taken out nobody wants them back.
  func forgetDisplaced(_ id: ModuleID, _ kernel: Kernel) throws(HostError) {
    for record in tree.state().modules where record.id.name != id.name {
      let originals = OriginalModules(inTheWayOf: record.id.name, kernel, in: layout)
      for kept in originals.all where tree.isProduct(kept.file, of: id, kernel) { try originals.forget(kept) }
      originals.tidy()
    }
  }

  /// Puts back what was in the way; what cannot be put back stays in the archive.
  func restoreOriginals(of id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    let originals = OriginalModules(inTheWayOf: id.name, kernel, in: layout)
    for kept in originals.all {
      let home = kept.isNoted ? kept.home : await assumedHome(of: kept, id, kernel)
      guard let home else { continue }
      try onFiles { () throws(HostError) in try originals.putBack(kept, to: home) }
    }
    originals.tidy()
  }

  /// Old versions of the reference noted no place; they put a module where the dkms.conf says.
  private func assumedHome(
    of kept: OriginalModules.Kept, _ id: ModuleID, _ kernel: Kernel
  ) async -> FilePath? {
    guard kept.file.removingLastComponent() == layout.originals(id.name, kernel),
      let configuration = try? await reader.configuration(of: id, for: kernel),
      let module = configuration.modules.first(where: { $0.destinationName == kept.moduleName })
    else { return nil }
    return layout.place(module.destinationLocation, in: kernel.release)?
      .appending(kept.file.components.suffix(1))
  }
}
