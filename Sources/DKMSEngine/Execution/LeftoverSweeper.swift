// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
public import SystemPackage

/// Clears away what killed runs have left half made, except where another run is at work.
public struct LeftoverSweeper {
  private let layout: Layout

  /// Looks after the trees of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// What killed runs have left half made, and what runs that are at work are making.
  public var leftovers: [FilePath] {
    let names = Files.list(layout.dkmsTree)
    let versions = names.flatMap { name in Files.list(layout.module(name)).map(layout.module(name).appending)
    }
    let products = versions.flatMap { version in Files.list(version).map(version.appending) }
    let temporary = versions.map { $0.appending("tarball") }.flatMap(ScratchDirectory.abandoned)
    let sources = Files.list(layout.sourceTree)
      .filter { $0.hasPrefix(".") && $0.hasSuffix(Files.stagingSuffix) }.map(layout.sourceTree.appending)
    let directories =
      names.map(layout.module) + versions + products.filter { Files.kind($0) == .directory }
      + KernelCatalogue(layout).releases.map(layout.installed)
    return temporary + sources
      + directories.flatMap { directory in
        Files.list(directory).filter(isLeftover).map(directory.appending)
      }
  }

  /// What calls that were killed have left where things are put for a while.
  public var temporary: [FilePath] { ScratchDirectory.abandoned(in: layout.temporaryDirectory) }

  /// Clears that away.
  public func sweepTemporary() { ScratchDirectory.sweep(layout.temporaryDirectory) }

  /// Clears away what is found; call it before the facts are read.
  public func sweep() {
    sweepTemporary()
    for name in Files.list(layout.dkmsTree) {
      sweepModule(name)
      sweepOriginals(of: name)
      for version in Files.list(layout.module(name)) {
        guard let id = try? ModuleID(name: name, version: version) else { continue }
        sweepBuilds(of: id)
      }
      Files.removeEmptyDirectories(from: layout.module(name), upTo: layout.dkmsTree)
    }
    sweepSources()
    for release in KernelCatalogue(layout).releases { sweepInstallation(for: release) }
    // One that was only added has an empty one, as the reference makes it.
    for record in ModuleTree(layout).state().modules where !record.builds.isEmpty {
      removeBuildDirectory(of: record.id)
    }
  }

  /// Forgets kernels that were kept for a boot that is over and for which nothing is built any more.
  public func sweepBootRecords(of boot: String) {
    let built = Set(ModuleTree(layout).state().modules.flatMap(\.builds).map(\.kernel.release))
    for record in BootRecords(layout).all where record.boot != boot && !built.contains(record.release) {
      try? Files.remove(layout.bootRecord(record.release))
    }
  }

  /// Forgets the failures of builds for kernels that are gone.
  ///
  /// Only who knows that these are all the kernels there are may call it: a caller of `dkms` may name another
  /// tree of them.
  public func forgetFailuresOfGoneKernels() {
    for id in ModuleTree(layout).state().modules.map(\.id) where Files.isDirectory(layout.build(id)) {
      guard let lock = DirectoryLock.tryExclusive(layout.registration(id)) else { continue }
      FailureRecord(layout).forgetGoneKernels(of: id)
      lock.release()
    }
  }

  private func sweepSources() {
    let leftovers = Files.list(layout.sourceTree).filter { name in
      name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix) || Files.isAside(name)
    }
    guard !leftovers.isEmpty, let lock = DirectoryLock.tryExclusive(layout.sourceTree) else { return }
    Files.recover(layout.sourceTree)
    for name in leftovers { try? Files.remove(layout.sourceTree.appending(name)) }
    lock.release()
  }

  /// Puts back the modules that were in the way of installations which are over or have not come about.
  private func sweepOriginals(of name: String) {
    let archive = layout.originals(name)
    for release in Files.list(archive).compactMap({ try? KernelRelease($0) }) {
      let architectures = Files.list(archive.appending(release.description))
      for kernel in architectures.compactMap({ try? Kernel(release: release, architecture: $0) })
      where Files.kind(layout.activeLink(name, kernel)) != .link {
        guard let lock = DirectoryLock.tryExclusive(layout.kernel(release)) else { continue }
        OriginalModules(inTheWayOf: name, kernel, in: layout).settle()
        lock.release()
      }
      if architectures.isEmpty, let lock = DirectoryLock.tryExclusive(layout.kernel(release)) {
        Files.removeEmptyDirectories(from: archive.appending(release.description), upTo: archive)
        lock.release()
      }
    }
    Files.removeEmptyDirectories(from: archive, upTo: layout.module(name))
  }

  private func sweepModule(_ name: String) {
    for entry in Files.list(layout.module(name)) {
      let path = layout.module(name).appending(entry)
      if entry.hasPrefix(Layout.stagingPrefix) {
        try? Files.remove(path)
      } else if isLeftover(entry) {
        removeLink(path)
      }
    }
  }

  /// A link that was to say what a kernel has installed; it may be about to, so the kernel must be free.
  private func removeLink(_ link: FilePath) {
    let directories = KernelCatalogue(layout).releases.filter {
      link.lastComponent?.string.hasPrefix(".kernel-\($0)-") == true
    }.map(layout.kernel)
    for directory in directories {
      guard let lock = DirectoryLock.tryExclusive(directory) else { return }
      try? Files.remove(link)
      lock.release()
    }
    if directories.isEmpty { try? Files.remove(link) }
  }

  private func sweepBuilds(of id: ModuleID) {
    let registration = layout.registration(id)
    ScratchDirectory.sweep(layout.tarballs(id))
    let failures = FailureRecord(layout).halfMade(of: id)
    if hasLeftovers(registration) || !failures.isEmpty, let lock = DirectoryLock.tryExclusive(registration) {
      Files.recover(registration)
      removeLeftovers(in: registration)
      for path in failures { try? Files.remove(path) }
      lock.release()
    }
    for entry in Files.list(layout.registration(id)) {
      // Also the source is there, in which names mean nothing of this.
      guard ModuleTree.looksLikeRelease(entry), let release = try? KernelRelease(entry) else { continue }
      let products = layout.products(id, release)
      guard hasLeftovers(products) || !unfinished(id, release).isEmpty || Files.list(products).isEmpty,
        let lock = DirectoryLock.tryExclusive(products)
      else { continue }
      Files.recover(products)
      for product in unfinished(id, release) { try? product.withdraw() }
      removeLeftovers(in: products)
      Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
      lock.release()
    }
  }

  private func unfinished(_ id: ModuleID, _ release: KernelRelease) -> [Product] {
    Files.list(layout.products(id, release)).compactMap { try? Kernel(release: release, architecture: $0) }
      .map { Product(id, $0, in: layout) }.filter(\.isUnfinished)
  }

  /// Removes the empty directory that builds see as theirs, but not from under another build.
  ///
  /// Removing a mount point would pull it from under a build of the same module for another kernel.
  func removeBuildDirectory(of id: ModuleID) {
    guard let lock = DirectoryLock.tryExclusive(layout.registration(id)) else { return }
    Files.removeEmptyDirectories(from: layout.build(id), upTo: layout.registration(id))
    lock.release()
  }

  private func sweepInstallation(for release: KernelRelease) {
    let installed = layout.installed(release)
    guard Files.list(installed).contains(where: isLeftover),
      let lock = DirectoryLock.tryExclusive(layout.kernel(release))
    else {
      return
    }
    removeLeftovers(in: installed)
    Files.removeEmptyDirectories(from: installed, upTo: layout.kernel(release))
    lock.release()
  }

  private func hasLeftovers(_ directory: FilePath) -> Bool {
    Files.list(directory).contains { isLeftover($0) || Files.isAside($0) }
  }

  private func removeLeftovers(in directory: FilePath) {
    for name in Files.list(directory) where isLeftover(name) {
      try? Files.remove(directory.appending(name))
    }
  }

  private func isLeftover(_ name: String) -> Bool {
    name.hasPrefix(Layout.stagingPrefix) || name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix)
  }
}
