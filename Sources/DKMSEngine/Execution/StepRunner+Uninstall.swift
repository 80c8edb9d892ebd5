// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Takes a module out of a kernel's directory.
  ///
  /// The names come from what was built, so it works when the source is gone.
  func uninstall(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    try await lockedModule(id, .shared) { () throws(DKMSError) in
      if Files.isDirectory(layout.kernel(kernel.release)) {
        try await lockedKernel(kernel.release) { () throws(DKMSError) in try await takeOut(id, kernel) }
      } else {
        try await takeOut(id, kernel)
      }
      return await postRemove(id, kernel)
    }
  }

  private func takeOut(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    let installed = layout.installed(kernel.release)
    let names = tree.installedNames(of: id, kernel)
    try onFiles { () throws(HostError) in
      for name in names.sorted() {
        // Another module may have put one of the same name there.
        for file in copies(of: name, in: installed)
        where !tree.isProduct(file, for: kernel, exceptOf: id.name) {
          try Files.remove(file)
        }
      }
      try forgetDisplaced(id, kernel)
      for file in Files.list(installed) where file.hasSuffix(Files.stagingSuffix) {
        try Files.remove(installed.appending(file))
      }
      Files.removeEmptyDirectories(from: installed, upTo: layout.kernel(kernel.release))
      // Before anything comes back: what is there while the link is counts as ours.
      try Files.remove(layout.activeLink(id.name, kernel))
      try Files.synchronize(layout.module(id.name))
    }
    try await restoreOriginals(of: id, kernel)
  }

  /// Takes out what a killed installation has put into the kernel and not declared.
  ///
  /// Once the product has changed or gone nothing tells any more that it is ours.
  func takeOutUndeclared(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    guard !undeclared(id, kernel).isEmpty else { return }
    try await lockedKernel(kernel.release) { () throws(DKMSError) in
      try onFiles { () throws(HostError) in
        for file in undeclared(id, kernel) { try Files.remove(file) }
      }
      Files.removeEmptyDirectories(
        from: layout.installed(kernel.release), upTo: layout.kernel(kernel.release))
    }
  }

  private func undeclared(_ id: ModuleID, _ kernel: Kernel) -> [FilePath] {
    guard Files.kind(layout.activeLink(id.name, kernel)) != .link else { return [] }
    let modules = layout.productModules(id, kernel)
    return tree.moduleFiles(in: modules).values.map(layout.installed(kernel.release).appending).filter {
      file in
      guard let name = file.lastComponent else { return false }
      return Files.haveEqualContents(file, modules.appending(name))
        && !tree.isProduct(file, for: kernel, exceptOf: id.name)
    }
  }

  private func postRemove(_ id: ModuleID, _ kernel: Kernel) async -> [String] {
    let sources = [layout.sourceLink(id), layout.keptSource(id)]
    guard let source = sources.first(where: Files.isDirectory) else { return [] }
    do {
      let configuration = try await reader.configuration(of: id, source: source, for: kernel)
      return await runFinalScript(.postRemove, of: configuration, for: kernel, in: source)
    } catch {
      return ["\(error)"]
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
