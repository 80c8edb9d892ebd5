// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// What is in the trees that no registered module accounts for.
public struct TreeSurvey: Sendable {
  private let layout: Layout
  private let snapshot: Snapshot
  private let state: TreeState

  /// Looks into the trees of a snapshot.
  ///
  /// - Throws: `HostError` where a look failed.
  public init(_ snapshot: Snapshot) throws(HostError) {
    layout = snapshot.layout
    self.snapshot = snapshot
    state = try snapshot.tree()
  }

  /// What is registered.
  public var modules: [ModuleRecord] { state.modules }

  /// Files where DKMS installs that come from no build in the tree.
  ///
  /// - Throws: `HostError` where a look failed.
  public func strayFiles() throws(HostError) -> [(release: KernelRelease, file: FilePath)] {
    let tree = ModuleTree(layout)
    var stray: [(release: KernelRelease, file: FilePath)] = []
    for release in try snapshot.kernels().releases {
      var names: Set<String> = []
      for record in state.modules {
        for build in record.builds where build.kernel.release == release {
          names.formUnion(try tree.installedNames(of: record.id, build.kernel))
        }
      }
      for file in try KernelRemains(of: release, in: layout).installed {
        let name = file.lastComponent?.string ?? ""
        let isOurs = Compression.moduleName(ofFile: name).map(names.contains) == true
        if !name.hasSuffix(Files.stagingSuffix), !isOurs { stray.append((release, file)) }
      }
    }
    return stray
  }

  /// Directories of module versions that are not registered, as an old `dkms` may have left them.
  ///
  /// - Throws: `HostError` where a look failed.
  public func unregistered() throws(HostError) -> [FilePath] {
    let known = Set(state.modules.map(\.id))
    return try versions().where { id throws(HostError) in
      guard id.version != "original_module", !known.contains(id) else { return false }
      return try Files.kind(layout.registration(id)) == .directory
    }.map(layout.registration)
  }

  private func versions() throws(HostError) -> [ModuleID] {
    try Files.list(layout.dkmsTree).collect { name throws(HostError) in
      try Files.list(layout.module(name)).compactMap { try? ModuleID(name: name, version: $0) }
    }
  }

  /// Links that say what a kernel has installed, and where they lead; nil for those that lead nowhere.
  ///
  /// - Throws: `HostError` where a look failed.
  public func activeLinks() throws(HostError) -> [FilePath: FilePath?] {
    var links: [FilePath: FilePath?] = [:]
    for name in try Files.list(layout.dkmsTree) {
      for entry in try Files.list(layout.module(name), beginningWith: "kernel-") {
        let link = layout.module(name).appending(entry)
        guard try Files.kind(link) == .link, let target = try Files.linkTarget(link) else { continue }
        let goal = link.removingLastComponent().pushing(target)
        links.updateValue(try Files.resolved(goal) == nil ? nil : goal, forKey: link)
      }
    }
    return links
  }

  /// Modules that have no version left, and versions' directories for kernels, or those of products in them, that hold
  /// nothing.
  ///
  /// - Throws: `HostError` where a look failed.
  public func emptyDirectories() throws(HostError) -> [FilePath] {
    var directories = try Files.list(layout.dkmsTree).map(layout.module)
    for version in state.modules.map({ layout.registration($0.id) }) {
      // An empty `build` is as the reference leaves it.
      for entry in try Files.listing(version) where entry.name != "build" {
        let directory = version.appending(entry.name)
        directories.append(directory)
        // A removal that was cut off has emptied the product's directory, and left that.
        guard entry.kind == .directory, ModuleTree.looksLikeRelease(entry.name) else { continue }
        directories += try Files.list(directory).filter { !$0.hasPrefix(".") }.map(directory.appending)
      }
    }
    return try directories.where { path throws(HostError) in
      guard try Files.kind(path) == .directory else { return false }
      return try Files.list(path).isEmpty
    }
  }

  /// Copies of sources that nothing uses, since the module's own source is there.
  ///
  /// - Throws: `HostError` where a look failed.
  public func idleSources() throws(HostError) -> [FilePath] {
    try state.modules.where { record throws(HostError) in
      guard !record.usesKeptSource, !record.isBroken else { return false }
      return try Files.isFile(layout.sourceLink(record.id).appending("dkms.conf"))
    }.map { layout.keptSource($0.id) }.where(Files.isDirectory)
  }
}
