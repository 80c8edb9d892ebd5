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
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
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
        try Files.rename(staged, to: file)
        try Files.synchronize(directory)
      }
      aside.discard()
      return []
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
        excluding: Set(layout.droppedModules(id, kernel).components.suffix(1).map(\.string)))
    }
  }

  /// Takes the place of the source: the name of the module, and its dkms.conf.
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
