// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import SystemPackage

/// Finds the module files in kernels' directories that the tree has no record of, and that a source brings.
package struct UnrecordedInstallations {
  private let snapshot: Snapshot
  private let facts: Facts

  private var layout: Layout { snapshot.layout }

  /// Looks for what these facts do not account for; their configurations tell which modules each source builds.
  package init(_ snapshot: Snapshot, _ facts: Facts) {
    self.snapshot = snapshot
    self.facts = facts
  }

  /// What kernels hold of modules that are not built for them.
  ///
  /// - Parameters:
  ///   - modules: The module versions that may be the ones installed.
  ///   - database: Tells when source and kernel came.
  /// - Returns: What is there of each, for each kernel.
  /// - Throws: `HostError` where a look failed.
  package func all(
    of modules: [ModuleID], _ database: borrowing Database
  ) async throws(HostError) -> [ModuleID: [Kernel: UnrecordedInstallation]] {
    var found: [ModuleID: [Kernel: UnrecordedInstallation]] = [:]
    for (id, installations) in try await files(of: modules) {
      for (kernel, var installation) in installations {
        installation.sourceTime = try sourceTime(of: id, database)
        installation.kernelTime = try kernelTime(of: kernel, database)
        found[id, default: [:]][kernel] = installation
      }
    }
    return found
  }

  /// The same without regard to when anything came.
  ///
  /// - Throws: `HostError` where a look failed.
  package func files(
    of modules: [ModuleID]
  ) async throws(HostError) -> [ModuleID: [Kernel: UnrecordedInstallation]] {
    var found: [ModuleID: [Kernel: UnrecordedInstallation]] = [:]
    for kernel in facts.kernels.keys where facts.kernels[kernel]?.failedLook == nil {
      for id in modules where isOffRecord(id, for: kernel) {
        let names = names(of: id, for: kernel)
        let files = try names.map { name throws(HostError) in
          (name, try snapshot.kernel(kernel.release).installedModules(named: name).first)
        }
        let paths = files.compactMap(\.1)
        guard !paths.isEmpty else { continue }
        let answers = await snapshot.information(on: paths)
        var installation = UnrecordedInstallation(
          files: [], missing: files.filter { $0.1 == nil }.map(\.0))
        for (name, path) in files {
          guard let path else { continue }
          let answer = answers[path] ?? .unknown
          if answer == .unknown { throw HostError("ask", path, .unanswered(program: "modinfo")) }
          let information = answer.information
          installation.files.append(
            .init(
              name: name, path: path.string, time: try Files.modificationTime(path) ?? 0,
              release: information?.release, version: information?.identity.version ?? ""))
        }
        installation.rivals = rivals(of: id, names, for: kernel)
        found[id, default: [:]][kernel] = installation
      }
    }
    return found
  }

  private func names(of id: ModuleID, for kernel: Kernel) -> [String] {
    facts.configurations[id]?[kernel]?.configuration?.modules.map(\.destinationName) ?? []
  }

  /// Whether nothing in the tree accounts for files of a module in a kernel's directory.
  private func isOffRecord(_ id: ModuleID, for kernel: Kernel) -> Bool {
    let record = facts.tree[id]
    guard record?.build(for: kernel) == nil, record?.isBroken != true, record?.usesKeptSource != true else {
      return false
    }
    let names = Set(names(of: id, for: kernel))
    return !facts.tree.modules.contains { other in
      other.build(for: kernel)?.isInstalled == true
        && (other.id.name == id.name || self.names(of: other.id, for: kernel).contains(where: names.contains))
    }
  }

  private func rivals(of id: ModuleID, _ names: [String], for kernel: Kernel) -> [ModuleID] {
    facts.configurations.keys.filter { other in
      other != id && self.names(of: other, for: kernel).contains(where: names.contains)
    }.sorted { $0.description < $1.description }
  }

  // MARK: Times

  private func sourceTime(of id: ModuleID, _ database: borrowing Database) throws(HostError) -> Int {
    let source = FilePath(facts.sources[id] ?? layout.source(id).string)
    let came = try arrival(of: source.appending("dkms.conf"), hints: ["\(id.name)-dkms", id.name], database)
    return max(came, try Files.newestTime(in: source))
  }

  private func kernelTime(of kernel: Kernel, _ database: borrowing Database) throws(HostError) -> Int {
    let directory = layout.kernel(kernel.release)
    let base = try snapshot.kernels().packageBase(of: kernel.release)
    let hints = base.map { [$0, "\($0)-headers"] } ?? []
    var times: [Int] = []
    for name in ["modules.order", "build/.config", "build/Module.symvers"] {
      times.append(try arrival(of: directory.appending(name), hints: hints, database))
    }
    return times.max() ?? 0
  }

  /// When a file came: with its package, or else, as the file system has it.
  private func arrival(
    of file: FilePath, hints: [String], _ database: borrowing Database
  ) throws(HostError) -> Int {
    guard let changed = try Files.changeTime(file) else { return 0 }
    var path = file
    guard path.removePrefix(layout.root) else { return changed }
    return database.installDate(ofOwnerOf: path.string, hints: hints) ?? changed
  }
}
