// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Writes a tarball beside its goal, and renames it when it is whole.
  func makeTarball(
    _ id: ModuleID, _ kernels: [Kernel], _ contents: TarballContents, _ file: FilePath
  ) async throws(DKMSError) -> [String] {
    let directory = file.removingLastComponent()
    let packed = contents == .sourceOnly ? [] : kernels.sorted { "\($0)" < "\($1)" }
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await lockedBuilds(id, packed[...]) { () throws(DKMSError) in
        let aside: ScratchDirectory
        do throws(HostError) {
          try Files.makeDirectories(directory)
          try ScratchDirectory.sweep(directory)
          aside = try ScratchDirectory(in: directory)
        } catch {
          throw .tarballNotWritable(directory: directory.string, reason: "\(error.reason)")
        }
        let staged = aside.path.appending("tarball")
        do throws(ArchiveError) {
          var writer = try ArchiveWriter(
            creating: staged, compression: ArchiveCompression(forFile: file))
          try addBuilds(of: id, for: contents == .sourceOnly ? [] : kernels, to: &writer)
          if contents == .buildsOnly {
            try addDescription(of: id, to: &writer)
          } else {
            try writer.addTree(layout.sourceLink(id), as: TarballLayout.source)
          }
          try writer.finish()
        } catch {
          throw .tarball(error) { .tarballFailed(path: file.string, reason: $0) }
        }
        try onFiles { () throws(HostError) in
          try Files.synchronize(staged)
          try Files.rename(staged, to: file)
          try Files.synchronize(directory)
        }
        aside.discard()
        return []
      }
    }
  }

  private func addBuilds(
    of id: ModuleID, for kernels: [Kernel], to writer: inout ArchiveWriter
  ) throws(ArchiveError) {
    // It is there even if it is empty: a tarball of `mktarball` is recognized by it.
    let directory = { (path: FilePath) in
      ArchiveEntry(
        path, .directory, permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    }
    try writer.add(directory(TarballLayout.builds))
    for kernel in kernels {
      let release = TarballLayout.builds.appending(kernel.release.description)
      try writer.add(directory(release))
      try writer.addTree(
        layout.product(id, kernel), as: release.appending(kernel.architecture),
        excluding: Set(
          [layout.droppedModules(id, kernel), layout.refusedModules(id, kernel)]
            .compactMap { $0.lastComponent?.string }))
    }
  }

  /// Adds what takes the place of the source: the name and version of the module, and its dkms.conf.
  private func addDescription(of id: ModuleID, to writer: inout ArchiveWriter) throws(ArchiveError) {
    let directory = TarballLayout.description
    try writer.add(
      ArchiveEntry(
        directory, .directory, permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]))
    for (name, text) in [("PACKAGE_NAME", id.name), ("PACKAGE_VERSION", id.version)] {
      try writer.add(
        ArchiveEntry(directory.appending(name), .file, permissions: .everyoneReads),
        contents: Array("\(text)\n".utf8))
    }
    let configuration = options.configurationFile ?? layout.sourceLink(id).appending("dkms.conf")
    try writer.addFile(configuration, as: directory.appending("dkms.conf"))
  }
}

extension StepRunner {
  /// Brings a source to where it belongs, whole: a reader sees the old one or the new one.
  func copySource(_ id: ModuleID, from directory: FilePath, replaces: Bool) async throws(DKMSError)
    -> [String]
  {
    let goal = layout.source(id)
    let registration = layout.registration(id)
    // A build holds the first lock while it copies the source; sweeping leftovers takes the second.
    defer { Files.removeEmptyDirectories(from: registration, upTo: layout.dkmsTree) }
    return try await locked(registration, .exclusive, "\(id)") { () throws(DKMSError) in
      try await locked(layout.sourceTree, .exclusive, "the source tree") { () throws(DKMSError) in
        let staged = Files.stagingPath(for: goal)
        defer { try? Files.remove(staged) }
        try onFiles { () throws(HostError) in
          try Files.remove(staged)
          try Files.makeDirectories(staged)
        }
        if !replaces, try onFiles({ () throws(HostError) in try Files.isDirectory(goal) }) {
          try await copy(contentsOf: goal, to: staged, keepsOwner: true)
        }
        // By then, files from a tarball belong to root.
        try await copy(contentsOf: directory, to: staged, keepsOwner: true)
        try onFiles { () throws(HostError) in
          if try Files.exists(goal) {
            try Files.exchange(staged, with: goal)
          } else {
            try Files.rename(staged, to: goal)
          }
          try Files.synchronize(layout.sourceTree)
        }
        return try onFiles { () throws(HostError) in
          // Its owner stays, as with the reference, but hooks may refuse it because of that.
          var reader = TrustReader(layout, options)
          return try reader.exposures(of: id, source: goal, kernels: []).map {
            "\($0)\nto keep it for root: \($0.remedy)"
          }
        }
      }
    }
  }

  /// Copies everything, but lets only the owner write to it, and drops set-user-ID and the like.
  ///
  /// The owner is root unless told otherwise.
  private func copy(
    contentsOf directory: FilePath, to goal: FilePath, keepsOwner: Bool = false
  ) async throws(DKMSError) {
    let kept = "mode,timestamps,links" + (keepsOwner ? ",ownership" : "")
    try await tool(
      "cp", ["-dR", "--preserve=\(kept)", "--reflink=auto", "--", "\(directory)/.", goal.string])
    try await tool("chmod", ["-R", "u+rwX,go-w,a-s,-t", goal.string])
    try await tool("sync", ["-f", goal.string])
  }

  /// Registers a module of which there are only builds as the reference does: by its dkms.conf.
  func addWithoutSource(_ id: ModuleID, configuration: FilePath) async throws(DKMSError) -> [String] {
    let goal = layout.sourceLink(id)
    return try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      try onFiles { () throws(HostError) in
        guard try Files.kind(goal) != .link else { return }
        let staged = Files.stagingPath(for: goal)
        try Files.remove(staged)
        try Files.makeDirectories(staged)
        try Files.copy(configuration, to: staged.appending("dkms.conf"))
        try Files.synchronize(staged)
        if try Files.exists(goal) {
          try Files.exchange(staged, with: goal)
        } else {
          try Files.rename(staged, to: goal)
        }
        try Files.synchronize(layout.registration(id))
        try Files.remove(staged)
      }
      return []
    }
  }

  /// Takes over a build as if it had been made here.
  func loadBuild(_ id: ModuleID, _ kernel: Kernel, from directory: FilePath) async throws(DKMSError)
    -> [String]
  {
    let products = layout.products(id, kernel.release)
    let product = Product(id, kernel, in: layout)
    let staged = product.staged
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        defer {
          try? Files.remove(staged)
          Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
        }
        try onFiles { () throws(HostError) in
          try Files.remove(staged)
          try Files.makeDirectories(staged)
        }
        try await copy(contentsOf: directory, to: staged)
        try onFiles { () throws(HostError) in
          // Notes made by another machine mean nothing here.
          for name in try Files.list(staged)
          where name.hasPrefix(".") && !name.hasPrefix(Layout.dependencyPrefix) {
            try Files.remove(staged.appending(name))
          }
          let names = try tree.moduleFiles(in: staged.appending("module")).keys
          try noteDroppedModules(id, kernel, keeping: Array(names), in: staged)
          try Files.synchronize(staged)
        }
        try await publish(product, id, kernel)
        return []
      }
    }
  }
}
