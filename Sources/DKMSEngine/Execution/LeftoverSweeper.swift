// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
public import Host
public import SystemPackage

/// Clears away what killed runs have left half made, except where another run is at work.
public struct LeftoverSweeper {
  private let layout: Layout

  /// Looks after the trees of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// What killed runs have left half made, and what runs that are at work are making.
  ///
  /// - Throws: `HostError` where a look failed.
  public func leftovers() throws(HostError) -> [FilePath] {
    let names = try Files.list(layout.dkmsTree)
    let versions = try names.collect { name throws(HostError) in
      try Files.list(layout.module(name)).map(layout.module(name).appending)
    }
    let products = try versions.collect { version throws(HostError) in
      try Files.listing(version).filter { $0.kind == .directory }.map { version.appending($0.name) }
    }
    let temporary = try versions.map { $0.appending("tarball") }.collect(ScratchDirectory.abandoned)
    let sources = try Files.list(layout.sourceTree)
      .filter { $0.hasPrefix(".") && $0.hasSuffix(Files.stagingSuffix) }.map(layout.sourceTree.appending)
    let kernels = try KernelCatalogue(layout).releases
    let directories =
      names.map(layout.module) + versions + products + kernels.map(layout.kernel)
      + kernels.map(layout.installed)
    return try temporary + sources
      + directories.collect { directory throws(HostError) in
        try Files.list(directory).filter(isLeftover).map(directory.appending)
      }
  }

  /// What killed calls have left among the temporary files.
  ///
  /// - Throws: `HostError` where the look failed.
  public func temporary() throws(HostError) -> [FilePath] {
    try ScratchDirectory.abandoned(in: layout.temporaryDirectory)
  }

  /// Clears that away.
  ///
  /// - Throws: `HostError` where the look failed.
  public func sweepTemporary() throws(HostError) { try ScratchDirectory.sweep(layout.temporaryDirectory) }

  /// Clears away what is found; call it before the facts are read.
  ///
  /// - Throws: `HostError` where a look failed; what could not be looked at stays.
  public func sweep() throws(HostError) {
    try sweepTemporary()
    for name in try Files.list(layout.dkmsTree) {
      try sweepModule(name)
      try sweepOriginals(of: name)
      for version in try Files.list(layout.module(name)) {
        guard let id = try? ModuleID(name: name, version: version) else { continue }
        try sweepBuilds(of: id)
        try sweepRegistration(of: id)
      }
      Files.removeEmptyDirectories(from: layout.module(name), upTo: layout.dkmsTree)
    }
    try sweepSources()
    for release in try KernelCatalogue(layout).releases { try sweepInstallation(for: release) }
    // A module that was only added has an empty one, as with the reference.
    for record in try ModuleTree(layout).state().modules where !record.builds.isEmpty {
      removeBuildDirectory(of: record.id)
    }
  }

  /// Forgets kernels that were kept for a boot that is over and for which nothing is built any more.
  ///
  /// - Throws: `HostError` where a look failed.
  public func sweepBootRecords(of boot: String) throws(HostError) {
    let built = Set(try ModuleTree(layout).state().modules.flatMap(\.builds).map(\.kernel.release))
    for record in try BootRecords(layout).all() where record.boot != boot && !built.contains(record.release) {
      try Files.remove(layout.bootRecord(record.release))
    }
  }

  /// Forgets the failures of builds for kernels that are gone.
  ///
  /// Call it only with all the kernels there are: a caller of `dkms` may have named another tree.
  ///
  /// - Throws: `HostError` where a look failed.
  public func forgetFailuresOfGoneKernels() throws(HostError) {
    for id in try ModuleTree(layout).state().modules.map(\.id) where try Files.isDirectory(layout.build(id)) {
      guard let lock = DirectoryLock.tryExclusive(layout.registration(id)) else { continue }
      try FailureRecord(layout).forgetGoneKernels(of: id)
      lock.release()
    }
  }

  private func sweepSources() throws(HostError) {
    let leftovers = try Files.list(layout.sourceTree).filter { name in
      name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix) || Files.isAside(name)
    }
    guard !leftovers.isEmpty, let lock = DirectoryLock.tryExclusive(layout.sourceTree) else { return }
    try Files.recover(layout.sourceTree)
    for name in leftovers { try Files.remove(layout.sourceTree.appending(name)) }
    lock.release()
  }

  /// Puts back modules that were put away for installations that are gone or never happened.
  private func sweepOriginals(of name: String) throws(HostError) {
    let archive = layout.originals(name)
    for release in try Files.list(archive).compactMap({ try? KernelRelease($0) }) {
      let architectures = try Files.list(archive.appending(release.description))
      for kernel in architectures.compactMap({ try? Kernel(release: release, architecture: $0) })
      where try !ModuleTree(layout).isDeclared(name, kernel) {
        guard let lock = DirectoryLock.tryExclusive(layout.kernel(release)) else { continue }
        try OriginalModules(inTheWayOf: name, kernel, in: layout).putBackAll()
        lock.release()
      }
      if architectures.isEmpty, let lock = DirectoryLock.tryExclusive(layout.kernel(release)) {
        Files.removeEmptyDirectories(from: archive.appending(release.description), upTo: archive)
        lock.release()
      }
    }
    Files.removeEmptyDirectories(from: archive, upTo: layout.module(name))
  }

  private func sweepModule(_ name: String) throws(HostError) {
    for entry in try Files.list(layout.module(name)) {
      let path = layout.module(name).appending(entry)
      if entry.hasPrefix(Layout.stagingPrefix) {
        try Files.remove(path)
      } else if isLeftover(entry) {
        try removeLink(path)
      }
    }
  }

  /// An unfinished link that says what a kernel has installed.
  ///
  /// A run may still be making it, so the kernel must not be locked.
  private func removeLink(_ link: FilePath) throws(HostError) {
    let directories = try KernelCatalogue(layout).releases.filter {
      link.lastComponent?.string.hasPrefix(".kernel-\($0)-") == true
    }.map(layout.kernel)
    for directory in directories {
      guard let lock = DirectoryLock.tryExclusive(directory) else { return }
      try Files.remove(link)
      lock.release()
    }
    if directories.isEmpty { try Files.remove(link) }
  }

  private func sweepBuilds(of id: ModuleID) throws(HostError) {
    let registration = layout.registration(id)
    try ScratchDirectory.sweep(layout.tarballs(id))
    let record = FailureRecord(layout)
    let hasLeftovers = try hasLeftovers(registration)
    let hasVoid = try !record.void(of: id).isEmpty
    if hasLeftovers || hasVoid, let lock = DirectoryLock.tryExclusive(registration) {
      try Files.recover(registration)
      try removeLeftovers(in: registration)
      for path in try record.void(of: id) { try Files.remove(path) }
      lock.release()
    }
    for entry in try Files.list(registration) {
      // The source is in there, too; its file names have no such meaning.
      guard ModuleTree.looksLikeRelease(entry), let release = try? KernelRelease(entry) else { continue }
      try sweepProducts(of: id, release)
    }
  }

  /// A version of which a removal has left no more than its directory.
  private func sweepRegistration(of id: ModuleID) throws(HostError) {
    let registration = layout.registration(id)
    guard try Files.list(registration).isEmpty, let lock = DirectoryLock.tryExclusive(registration) else {
      return
    }
    Files.removeEmptyDirectories(from: registration, upTo: layout.dkmsTree)
    lock.release()
  }

  private func sweepProducts(of id: ModuleID, _ release: KernelRelease) throws(HostError) {
    let products = layout.products(id, release)
    let isUnfinished = try !unfinished(id, release).isEmpty
    let (hasLeftovers, isEmpty) = (try hasLeftovers(products), try holdsNothing(products))
    guard isUnfinished || hasLeftovers || isEmpty, let lock = DirectoryLock.tryExclusive(products) else {
      return
    }
    try Files.recover(products)
    for product in try unfinished(id, release) { try product.withdraw() }
    try removeLeftovers(in: products)
    for name in try Files.list(products) {
      Files.removeEmptyDirectories(from: products.appending(name), upTo: products)
    }
    Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
    lock.release()
  }

  /// Whether there is nothing in it but directories that a removal has emptied.
  private func holdsNothing(_ products: FilePath) throws(HostError) -> Bool {
    try !Files.listing(products).hasAny { entry throws(HostError) in
      guard entry.kind == .directory else { return true }
      return try !Files.list(products.appending(entry.name)).isEmpty
    }
  }

  private func unfinished(_ id: ModuleID, _ release: KernelRelease) throws(HostError) -> [Product] {
    try Files.list(layout.products(id, release)).compactMap {
      try? Kernel(release: release, architecture: $0)
    }
    .map { Product(id, $0, in: layout) }.where { product throws(HostError) in try product.isUnfinished() }
  }

  /// Removes the empty directory that builds see as theirs, unless another build is using it.
  ///
  /// Removing a mount point would pull it from under a build of the same module for another kernel.
  func removeBuildDirectory(of id: ModuleID) {
    guard let lock = DirectoryLock.tryExclusive(layout.registration(id)) else { return }
    Files.removeEmptyDirectories(from: layout.build(id), upTo: layout.registration(id))
    lock.release()
  }

  private func sweepInstallation(for release: KernelRelease) throws(HostError) {
    let (directory, installed) = (layout.kernel(release), layout.installed(release))
    guard
      try [directory, installed].hasAny({ place throws(HostError) in
        try Files.list(place).contains(where: isLeftover)
      }), let lock = DirectoryLock.tryExclusive(directory)
    else {
      return
    }
    try removeLeftovers(in: directory)
    try removeLeftovers(in: installed)
    Files.removeEmptyDirectories(from: installed, upTo: directory)
    lock.release()
  }

  private func hasLeftovers(_ directory: FilePath) throws(HostError) -> Bool {
    try Files.list(directory).contains { isLeftover($0) || Files.isAside($0) }
  }

  private func removeLeftovers(in directory: FilePath) throws(HostError) {
    for name in try Files.list(directory) where isLeftover(name) {
      try Files.remove(directory.appending(name))
    }
  }

  private func isLeftover(_ name: String) -> Bool {
    name.hasPrefix(Layout.stagingPrefix) || name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix)
  }
}
