// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Modules that are in the way of ours: kept when ours come, put back when ours go.
extension StepRunner {
  /// Takes modules of these names out of the way, unless they were built here.
  ///
  /// The kernel's own goes where there is no other: depmod takes ours in its place anyway, but the reference moves it,
  /// and `dkms status` tells.
  func archiveOriginals(
    of names: [String], for id: ModuleID, _ kernel: Kernel
  ) async throws(DKMSError) {
    // What was in the way is put away already; what is there now is ours.
    guard Files.kind(layout.activeLink(id.name, kernel)) != .link else { return }
    let kernelTree = KernelTree(kernel.release, in: layout, options: options)
    let installed = layout.installed(kernel.release)
    for name in names {
      // What was built here is nobody's original where we install, even if a killed run left it without its link.
      let isForeign = { (file: FilePath) in
        !file.starts(with: installed) || !tree.isProduct(file, for: kernel)
      }
      let competitors = kernelTree.competitors(named: name).filter(isForeign)
      let own = kernelTree.modules(named: name).filter(isForeign).prefix(1)
      for file in competitors.isEmpty ? Array(own) : competitors {
        try await archive(file, layout.originals(id.name, kernel), kernel)
      }
    }
  }

  private func archive(_ file: FilePath, _ archive: FilePath, _ kernel: Kernel) async throws(DKMSError) {
    guard let name = file.lastComponent else { return }
    var kept = archive.appending(name)
    if Files.kind(kept) != nil {
      var place = file.removingLastComponent()
      _ = place.removePrefix(layout.kernel(kernel.release))
      kept = archive.appending("collisions").appending(place.components).appending(name)
    }
    try onFiles { () throws(HostError) in
      try Files.makeDirectories(kept.removingLastComponent())
      try Files.write(Array("\(file)\n".utf8), to: FilePath("\(kept).origin"))
    }
    try await move(file, to: kept)
  }

  /// Puts back what was in the way; what cannot be put back stays in the archive.
  func restoreOriginals(of id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    let archive = layout.originals(id.name, kernel)
    for (kept, name) in modules(below: archive) {
      let note = FilePath("\(kept).origin")
      let origin =
        if let text = Files.text(note) {
          home(of: FilePath(text), kernel)
        } else {
          await assumedHome(of: kept, name, id, kernel)
        }
      guard let origin else { continue }
      if isReplaced(origin, kernel) {
        try onFiles { () throws(HostError) in try Files.remove(kept) }
      } else {
        try await move(kept, to: origin)
      }
      try onFiles { () throws(HostError) in try Files.remove(note) }
      Files.removeEmptyDirectories(from: kept.removingLastComponent(), upTo: layout.module(id.name))
    }
    Files.removeEmptyDirectories(from: archive, upTo: layout.module(id.name))
  }

  /// Whether the kernel's package has put the file there anew meanwhile, or has gone and taken its place away.
  private func isReplaced(_ origin: FilePath, _ kernel: Kernel) -> Bool {
    let own = layout.kernel(kernel.release).appending("kernel")
    return origin.starts(with: own) && (Files.kind(origin) != nil || !Files.isDirectory(own))
  }

  private func modules(below directory: FilePath) -> [(file: FilePath, name: String)] {
    Files.list(directory).flatMap { entry -> [(file: FilePath, name: String)] in
      let path = directory.appending(entry)
      if Files.kind(path) == .directory { return modules(below: path) }
      guard Files.kind(path) == .file, let name = Compression.moduleName(ofFile: entry) else { return [] }
      return [(path, name)]
    }
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

  /// Old versions of the reference noted no place; they put a module where the dkms.conf says.
  private func assumedHome(
    of kept: FilePath, _ name: String, _ id: ModuleID, _ kernel: Kernel
  ) async -> FilePath? {
    guard kept.removingLastComponent() == layout.originals(id.name, kernel),
      let configuration = try? await reader.configuration(of: id, for: kernel),
      let module = configuration.modules.first(where: { $0.destinationName == name })
    else { return nil }
    return layout.kernel(kernel.release).appending(FilePath(module.destinationLocation).components)
      .appending(kept.components.suffix(1))
  }

  /// Moves a file, also to another file system, with its times and permissions; whole at every moment.
  private func move(_ file: FilePath, to goal: FilePath) async throws(DKMSError) {
    let staged = Files.stagingPath(for: goal)
    try onFiles { () throws(HostError) in try Files.makeDirectories(goal.removingLastComponent()) }
    try await tool("cp", ["-p", "--", file.string, staged.string])
    try onFiles { () throws(HostError) in
      try Files.synchronize(staged)
      try Files.rename(staged, to: goal)
      try Files.synchronize(goal.removingLastComponent())
      try Files.remove(file)
    }
  }
}
