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
        try await lockedKernel(kernel.release) { () throws(DKMSError) in try takeOut(id, kernel) }
      } else {
        try takeOut(id, kernel)
      }
      return await postRemove(id, kernel)
    }
  }

  private func takeOut(_ id: ModuleID, _ kernel: Kernel) throws(DKMSError) {
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
      for file in Files.list(installed) where file.hasSuffix(Files.stagingSuffix) {
        try Files.remove(installed.appending(file))
      }
      Files.removeEmptyDirectories(from: installed, upTo: layout.kernel(kernel.release))
      try restoreOriginals(id.name, kernel)
      try Files.remove(layout.activeLink(id.name, kernel))
    }
  }

  /// Puts back what was in the way; what cannot be put back stays in the archive.
  private func restoreOriginals(_ name: String, _ kernel: Kernel) throws(HostError) {
    let archive = layout.originals(name, kernel)
    for entry in Files.list(archive) where entry.hasSuffix(".origin") {
      let note = archive.appending(entry)
      let kept = archive.appending(String(entry.dropLast(".origin".count)))
      guard let origin = home(of: FilePath(Files.text(note) ?? ""), kernel), Files.kind(kept) == .file else {
        continue
      }
      try Files.makeDirectories(origin.removingLastComponent())
      try Files.copy(kept, to: origin)
      try Files.remove(kept)
      try Files.remove(note)
    }
    Files.removeEmptyDirectories(from: archive, upTo: layout.module(name))
  }

  /// Where a module came from, if that is in the kernel's directory, by whatever path that was named.
  private func home(of origin: FilePath, _ kernel: Kernel) -> FilePath? {
    let components = Array(origin.lexicallyNormalized().components)
    let installTree = Files.resolved(layout.installTree)
    let release = components.dropLast().indices.first { index in
      components[index].string == kernel.release.description
        && Files.resolved(FilePath(root: origin.root, components[..<index])) == installTree
    }
    return release.map { layout.kernel(kernel.release).appending(components[($0 + 1)...]) }
  }

  private func postRemove(_ id: ModuleID, _ kernel: Kernel) async -> [String] {
    let sources = [layout.sourceLink(id), layout.keptSource(id)]
    guard let source = sources.first(where: Files.isDirectory) else { return [] }
    do {
      let configuration = try await reader.configuration(of: id, source: source, for: kernel)
      return await runFinalScript(.postRemove, of: configuration, in: source)
    } catch {
      return ["\(error)"]
    }
  }

  func unbuild(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    let products = layout.products(id, kernel.release)
    let doomed = layout.staging(id, kernel, "removed")
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        try onFiles { () throws(HostError) in
          try Files.remove(doomed)
          try Files.rename(layout.product(id, kernel), to: doomed)
          try Files.remove(doomed)
          for purpose in ["build", "product"] { try Files.remove(layout.staging(id, kernel, purpose)) }
        }
        Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
        return []
      }
    }
  }
}
