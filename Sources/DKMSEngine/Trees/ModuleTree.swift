// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
package import SystemPackage

/// Reads the DKMS tree and compares it with what kernels have installed.
public struct ModuleTree: Sendable {
  private let layout: Layout

  /// Reads the tree of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// What the tree holds.
  ///
  /// Names that DKMS could not have made are passed over.
  ///
  /// - Throws: `HostError` where a part of it cannot be looked at: then it is not known what is registered.
  public func state() throws(HostError) -> TreeState {
    var records: [ModuleRecord] = []
    for (name, kind) in try Files.listing(layout.dkmsTree) where kind != .file {
      for version in try Files.list(layout.module(name)) {
        guard let id = try? ModuleID(name: name, version: version), let record = try record(id) else {
          continue
        }
        records.append(record)
      }
    }
    return TreeState(modules: records)
  }

  private func record(_ id: ModuleID) throws(HostError) -> ModuleRecord? {
    guard try Files.kind(layout.registration(id)) == .directory else { return nil }
    let link = layout.sourceLink(id)
    let isLink = try Files.kind(link) == .link
    let isBroken = isLink ? try !leadsToDirectory(link) : try hasLostItsLink(id)
    // Another run may take the registration away between two looks; what is gone is not broken.
    if isBroken, try (Files.kind(link) == .link) != isLink { return try record(id) }
    // The reference also leaves this after loading a tarball without a source.
    var holdsOnlyBuilds = false
    if !isLink, !isBroken { holdsOnlyBuilds = try Files.isFile(link.appending("dkms.conf")) }
    guard isLink || isBroken || holdsOnlyBuilds else { return nil }
    let source = try Files.linkTarget(link)
    return ModuleRecord(
      id: id, source: source?.string, isBroken: isBroken, usesKeptSource: source == layout.keptSource(id),
      holdsOnlyBuilds: holdsOnlyBuilds, builds: try builds(of: id))
  }

  /// Whether a module without a link to its source has had one; a registration that has just begun, or was cut
  /// short, holds nothing yet.
  private func hasLostItsLink(_ id: ModuleID) throws(HostError) -> Bool {
    guard try Files.isDirectory(layout.source(id)) else { return false }
    return try Files.list(layout.registration(id)).contains { !$0.hasSuffix(Files.stagingSuffix) }
  }

  /// Whether a link leads to a directory; one that leads to itself leads nowhere.
  private func leadsToDirectory(_ link: FilePath) throws(HostError) -> Bool {
    do {
      return try Files.isDirectory(link)
    } catch {
      guard error.errno == .tooManySymbolicLinkLevels else { throw error }
      return false
    }
  }

  private func builds(of id: ModuleID) throws(HostError) -> [BuildRecord] {
    var builds: [BuildRecord] = []
    for name in try Files.list(layout.registration(id)) where Self.looksLikeRelease(name) {
      guard let release = try? KernelRelease(name) else { continue }
      for architecture in try Files.list(layout.products(id, release)) {
        guard let kernel = try? Kernel(release: release, architecture: architecture),
          try Files.isDirectory(layout.productModules(id, kernel))
        else { continue }
        builds.append(
          BuildRecord(
            kernel: kernel, isInstalled: try isInstalled(id, kernel),
            dependencyVersions: try dependencyVersions(id, kernel),
            fingerprint: try Files.text(layout.fingerprint(id, kernel))
              .flatMap(KernelFingerprint.init(text:))))
      }
    }
    return builds
  }

  private func dependencyVersions(_ id: ModuleID, _ kernel: Kernel) throws(HostError) -> [String: String] {
    let product = layout.product(id, kernel)
    var versions: [String: String] = [:]
    for note in try Files.list(product, beginningWith: Layout.dependencyPrefix) {
      versions[String(note.dropFirst(Layout.dependencyPrefix.count))] = try Files.text(
        product.appending(note))
    }
    return versions
  }

  /// Kernel releases start with a digit; anything else beside the builds is not one.
  static func looksLikeRelease(_ name: String) -> Bool {
    let rest = name.drop { $0.isASCII && $0.isNumber }
    return rest.count < name.count && rest.first == "."
  }

  func isInstalled(_ id: ModuleID, _ kernel: Kernel) throws(HostError) -> Bool {
    let link = layout.activeLink(id.name, kernel)
    guard let goal = try Files.linkTarget(link) else { return false }
    // As it is written here, and by the reference; others may write a longer way to the same place.
    let product = layout.product(id, kernel)
    if goal.string == "\(id.version)/\(kernel.release)/\(kernel.architecture)" {
      return try Files.isDirectory(product)
    }
    guard let target = try Files.resolved(link) else { return false }
    return try target == Files.resolved(product)
  }

  /// Whether modules of a version are declared as a kernel's.
  func isDeclared(_ name: String, _ kernel: Kernel) throws(HostError) -> Bool {
    try Files.kind(layout.activeLink(name, kernel)) == .link
  }

  /// The real state of a build that the tree calls installed.
  ///
  /// - Throws: `HostError` where the look failed.
  public func integrity(
    of id: ModuleID, _ kernel: Kernel, _ configuration: ModuleConfiguration?
  ) throws(HostError) -> Integrity {
    let modules = layout.productModules(id, kernel)
    let files = try moduleFiles(in: modules)
    let expected = configuration?.modules.map(\.destinationName) ?? Array(files.keys)
    let isInstalled = try isInstalled(id, kernel)
    for name in expected {
      guard let file = files[name] else { return .missingFromTree }
      guard isInstalled else { continue }
      let copies =
        ([layout.installed(kernel.release)]
        + (configuration?.modules.filter { $0.destinationName == name } ?? [])
        .compactMap { layout.place($0.destinationLocation, in: kernel.release) })
        .map { $0.appending(file) }
      let isThere = try copies.hasAny { copy throws(HostError) in
        try Files.haveEqualContents(modules.appending(file), copy)
      }
      guard isThere else { return .different }
    }
    return .sound
  }

  /// Whether modules that were there before are kept for this kernel.
  ///
  /// - Throws: `HostError` where the look failed.
  public func hasOriginals(_ name: String, _ kernel: Kernel) throws(HostError) -> Bool {
    try Files.isDirectory(layout.originals(name, kernel))
  }

  /// Names of the modules that a build has, or had when it was installed, and that are its own in the kernel.
  func installedNames(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> Set<String> {
    let built = try moduleFiles(in: layout.productModules(id, kernel)).keys
    return Set(built).union(try names(in: layout.droppedModules(id, kernel)))
      .subtracting(try refusedNames(of: id, kernel))
  }

  /// Names of the modules that the installation of a build has left to others.
  func refusedNames(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> Set<String> {
    try names(in: layout.refusedModules(id, kernel))
  }

  /// Names of the modules that the version declared as a kernel's has left to others.
  func refusedNames(of name: String, _ kernel: Kernel) throws(HostError) -> Set<String> {
    guard let active = try state().installedVersion(of: name, for: kernel) else { return [] }
    return try refusedNames(of: active, kernel)
  }

  private func names(in note: FilePath) throws(HostError) -> Set<String> {
    Set(try Files.text(note)?.split(separator: "\n").map(String.init) ?? [])
  }

  /// Whether a file is the same as one that was built for a kernel, as any version of any module but one.
  func isProduct(
    _ file: FilePath, for kernel: Kernel, exceptOf name: String? = nil
  ) throws(HostError) -> Bool {
    guard let fileName = file.lastComponent?.string else { return false }
    return try state().modules.hasAny { record throws(HostError) in
      guard record.id.name != name, record.build(for: kernel) != nil else { return false }
      return try Files.haveEqualContents(file, layout.productModules(record.id, kernel).appending(fileName))
    }
  }

  /// Whether a file is the same as one that a module version has built for a kernel.
  func isProduct(_ file: FilePath, of id: ModuleID, _ kernel: Kernel) throws(HostError) -> Bool {
    guard let name = file.lastComponent else { return false }
    return try Files.haveEqualContents(file, layout.productModules(id, kernel).appending(name))
  }

  /// The version of a module, of any name but one, that has installed a file; nil where none has.
  ///
  /// - Throws: `HostError` where a look failed.
  package func installer(
    of file: FilePath, for kernel: Kernel, exceptOf name: String
  ) throws(HostError) -> ModuleID? {
    try otherInstallations(than: name, for: kernel).firstWhere { record throws(HostError) in
      try isProduct(file, of: record.id, kernel)
    }?.id
  }

  /// Whether a file among the installed modules was put there by a build, even if its run has not declared that
  /// yet or was killed before it did.
  func isOwnInstallation(_ file: FilePath, of id: ModuleID, _ kernel: Kernel) throws(HostError) -> Bool {
    guard file.removingLastComponent() == layout.installed(kernel.release) else { return false }
    if let active = try state().installedVersion(of: id.name, for: kernel) {
      guard active == id else { return false }
      let module = file.lastComponent.flatMap { Compression.moduleName(ofFile: $0.string) } ?? ""
      if try !refusedNames(of: id, kernel).contains(module) { return true }
    }
    guard try isProduct(file, of: id, kernel) else { return false }
    return try installer(of: file, for: kernel, exceptOf: id.name) == nil
  }

  private func otherInstallations(than name: String, for kernel: Kernel) throws(HostError) -> [ModuleRecord] {
    try state().modules.filter { $0.id.name != name && $0.build(for: kernel)?.isInstalled == true }
  }

  /// Whether another module has put away what this one installed; then nothing is to be repaired.
  func isDisplaced(_ id: ModuleID, _ kernel: Kernel) throws(HostError) -> Bool {
    try otherInstallations(than: id.name, for: kernel).hasAny { record throws(HostError) in
      try OriginalModules(inTheWayOf: record.id.name, kernel, in: layout).all()
        .hasAny { kept throws(HostError) in try isProduct(kept.file, of: id, kernel) }
    }
  }

  /// File names in a directory of modules, by the name of the module.
  ///
  /// - Throws: `HostError` where the directory cannot be looked into.
  package func moduleFiles(in directory: FilePath) throws(HostError) -> [String: String] {
    var files: [String: String] = [:]
    for file in try Files.list(directory) {
      if let name = Compression.moduleName(ofFile: file) { files[name] = file }
    }
    return files
  }

  /// How a build compares with what its dkms.conf promises and with what is installed.
  public enum Integrity: Sendable {
    /// All is where it belongs.
    case sound
    /// A module that the dkms.conf promises is not in the tree.
    case missingFromTree
    /// What the kernel has is not what was built.
    case different
  }
}

extension FilePath {
  /// The path as one below a directory: `/kernel/drivers` becomes `kernel/drivers`.
  var withoutRoot: FilePath { FilePath(root: nil, components) }
}
