// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Takes a module out of a kernel's directory.
  ///
  /// The names come from what was built, so it works when the source is gone.
  func uninstall(_ id: ModuleID, _ kernel: Kernel, _ basis: Basis) async throws(DKMSError) -> [String] {
    try await lockedModule(id, .shared) { () throws(DKMSError) in
      let hasDirectory = try onFiles { () throws(HostError) in
        try Files.isDirectory(layout.kernel(kernel.release))
      }
      if hasDirectory {
        try await lockedKernel(kernel.release) { () throws(DKMSError) in try takeOut(id, kernel, basis) }
      } else {
        try takeOut(id, kernel, basis)
      }
      return try await postRemove(id, kernel, basis)
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
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        try await takeOutUndeclared(id, kernel)
        try onFiles { () throws(HostError) in
          try Product(id, kernel, in: layout).discard()
          for purpose in ["build", "product"] { try Files.remove(layout.staging(id, kernel, purpose)) }
        }
        Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
        return []
      }
    }
  }
}
