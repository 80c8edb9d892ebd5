// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// Reads the DKMS tree and compares it with what kernels have installed.
public struct ModuleTree: Sendable {
  private let layout: Layout

  /// Reads the tree of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// What the tree holds.
  ///
  /// Names that DKMS could not have made are passed over.
  public func state() -> TreeState {
    let ids = Files.list(layout.dkmsTree).flatMap { name in
      Files.list(layout.module(name)).compactMap { version in
        try? ModuleID(name: name, version: version)
      }
    }
    return TreeState(modules: ids.compactMap(record))
  }

  private func record(_ id: ModuleID) -> ModuleRecord? {
    guard Files.kind(layout.registration(id)) == .directory else { return nil }
    let link = layout.sourceLink(id)
    let isLink = Files.kind(link) == .link
    let isBroken = isLink ? !Files.isDirectory(link) : Files.isDirectory(layout.source(id))
    // What the reference, too, leaves of a tarball without a source.
    let holdsOnlyBuilds = !isLink && !isBroken && Files.isFile(link.appending("dkms.conf"))
    guard isLink || isBroken || holdsOnlyBuilds else { return nil }
    let source = Files.linkTarget(link)
    return ModuleRecord(
      id: id, source: source?.string, isBroken: isBroken, isLastGood: source == layout.keptSource(id),
      holdsOnlyBuilds: holdsOnlyBuilds, builds: builds(of: id))
  }

  private func builds(of id: ModuleID) -> [BuildRecord] {
    Files.list(layout.registration(id)).filter(Self.looksLikeRelease).flatMap { name -> [BuildRecord] in
      guard let release = try? KernelRelease(name) else { return [] }
      return Files.list(layout.products(id, release)).compactMap { architecture in
        guard let kernel = try? Kernel(release: release, architecture: architecture),
          Files.isDirectory(layout.productModules(id, kernel))
        else { return nil }
        return BuildRecord(
          kernel: kernel, isInstalled: isInstalled(id, kernel),
          dependencyVersions: dependencyVersions(id, kernel),
          fingerprint: Files.text(layout.fingerprint(id, kernel)).flatMap(KernelFingerprint.init(text:)))
      }
    }
  }

  private func dependencyVersions(_ id: ModuleID, _ kernel: Kernel) -> [String: String] {
    let product = layout.product(id, kernel)
    let notes = Files.list(product).filter { $0.hasPrefix(Layout.dependencyPrefix) }
    return notes.reduce(into: [:]) { versions, note in
      versions[String(note.dropFirst(Layout.dependencyPrefix.count))] = Files.text(product.appending(note))
    }
  }

  /// Digits and a dot; anything else beside the builds is not one.
  static func looksLikeRelease(_ name: String) -> Bool {
    let rest = name.drop { $0.isASCII && $0.isNumber }
    return rest.count < name.count && rest.first == "."
  }

  func isInstalled(_ id: ModuleID, _ kernel: Kernel) -> Bool {
    let link = layout.activeLink(id.name, kernel)
    guard Files.kind(link) == .link, let target = Files.resolved(link) else { return false }
    return target == Files.resolved(layout.product(id, kernel))
  }

  /// How a build that the tree calls installed really stands.
  public func integrity(of id: ModuleID, _ kernel: Kernel, _ configuration: ModuleConfiguration?) -> Integrity
  {
    let modules = layout.productModules(id, kernel)
    let files = moduleFiles(in: modules)
    let expected = configuration?.modules.map(\.destinationName) ?? Array(files.keys)
    let isInstalled = isInstalled(id, kernel)
    for name in expected {
      guard let file = files[name] else { return .missingFromTree }
      guard isInstalled else { continue }
      let copies =
        ([layout.installed(kernel.release)]
        + (configuration?.modules.filter { $0.destinationName == name } ?? [])
        .compactMap { layout.place($0.destinationLocation, in: kernel.release) })
        .map { $0.appending(file) }
      guard copies.contains(where: { Files.haveEqualContents(modules.appending(file), $0) }) else {
        return .different
      }
    }
    return .sound
  }

  /// Whether modules that were there before are kept for this kernel.
  public func hasOriginals(_ name: String, _ kernel: Kernel) -> Bool {
    Files.isDirectory(layout.originals(name, kernel))
  }

  /// Names of the modules that a build has, or had when it was installed.
  func installedNames(of id: ModuleID, _ kernel: Kernel) -> Set<String> {
    let dropped = Files.text(layout.droppedModules(id, kernel))?.split(separator: "\n").map(String.init) ?? []
    return Set(moduleFiles(in: layout.productModules(id, kernel)).keys).union(dropped)
  }

  /// Whether a file is the same as one that was built for a kernel, as any version of any module but one.
  func isProduct(_ file: FilePath, for kernel: Kernel, exceptOf name: String? = nil) -> Bool {
    guard let fileName = file.lastComponent?.string else { return false }
    return state().modules.contains { record in
      record.id.name != name && record.build(for: kernel) != nil
        && Files.haveEqualContents(file, layout.productModules(record.id, kernel).appending(fileName))
    }
  }

  /// Whether a file is the same as one that a module version has built for a kernel.
  func isProduct(_ file: FilePath, of id: ModuleID, _ kernel: Kernel) -> Bool {
    guard let name = file.lastComponent else { return false }
    return Files.haveEqualContents(file, layout.productModules(id, kernel).appending(name))
  }

  /// Whether a file is what some module but one has installed.
  func isInstallation(_ file: FilePath, for kernel: Kernel, exceptOf name: String) -> Bool {
    state().modules.contains { record in
      record.id.name != name && record.build(for: kernel)?.isInstalled == true
        && isProduct(file, of: record.id, kernel)
    }
  }

  /// Whether another module has put away what this one had installed, so that it is not there to be repaired.
  func isDisplaced(_ id: ModuleID, _ kernel: Kernel) -> Bool {
    state().modules.contains { record in
      record.id.name != id.name && record.build(for: kernel)?.isInstalled == true
        && OriginalModules(inTheWayOf: record.id.name, kernel, in: layout).all
          .contains { isProduct($0.file, of: id, kernel) }
    }
  }

  /// File names in a directory of modules, by the name of the module.
  func moduleFiles(in directory: FilePath) -> [String: String] {
    var files: [String: String] = [:]
    for file in Files.list(directory) {
      if let name = Compression.moduleName(ofFile: file) { files[name] = file }
    }
    return files
  }

  /// How a build stands against what it promises and what is installed.
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
