// SPDX-License-Identifier: GPL-2.0-or-later

/// The contents of the DKMS tree, read at one moment.
public struct TreeState: Codable, Hashable, Sendable {
  /// The registered module versions, sorted by name, then version, as bytes.
  public var modules: [ModuleRecord]

  /// Makes a state of records.
  public init(modules: [ModuleRecord] = []) { self.modules = modules }

  /// The record of one module version.
  public subscript(id: ModuleID) -> ModuleRecord? { modules.first { $0.id == id } }

  /// The version of a module that is installed for a kernel.
  public func installedVersion(of name: String, for kernel: Kernel) -> ModuleID? {
    modules.first { $0.id.name == name && $0.build(for: kernel)?.isInstalled == true }?.id
  }

  /// The newest version of a module that is built for a kernel.
  public func newestBuild(of name: String, for kernel: Kernel) -> ModuleID? {
    modules.lazy.filter { $0.id.name == name && $0.build(for: kernel) != nil }.map(\.id)
      .max { VersionOrder($0.version) < VersionOrder($1.version) }
  }

  /// The newest version of each module whose source is there, in the order of `modules`.
  public var newestVersions: [ModuleID] {
    var newest: [String: ModuleID] = [:]
    var names: [String] = []
    for id in modules.lazy.filter({ !$0.isBroken && !$0.usesKeptSource && !$0.holdsOnlyBuilds }).map(\.id) {
      if let known = newest[id.name] {
        if VersionOrder(known.version) < VersionOrder(id.version) { newest[id.name] = id }
      } else {
        names.append(id.name)
        newest[id.name] = id
      }
    }
    return names.compactMap { newest[$0] }
  }
}

/// One registered version of a module.
public struct ModuleRecord: Codable, Hashable, Sendable {
  /// The module version.
  public var id: ModuleID
  /// Where its `source` link leads; nil where there is no link.
  public var source: String?
  /// Whether the link is missing or leads nowhere.
  public var isBroken: Bool
  /// Whether its source is a copy that is kept only as long as something built from it is installed.
  public var usesKeptSource: Bool
  /// Whether there is no source of it, only its dkms.conf and what was built elsewhere.
  public var holdsOnlyBuilds: Bool
  /// The kernels it is built for, sorted as bytes.
  public var builds: [BuildRecord]

  /// Makes a record.
  public init(
    id: ModuleID, source: String?, isBroken: Bool = false, usesKeptSource: Bool = false,
    holdsOnlyBuilds: Bool = false, builds: [BuildRecord] = []
  ) {
    self.id = id
    self.source = source
    self.isBroken = isBroken
    self.usesKeptSource = usesKeptSource
    self.holdsOnlyBuilds = holdsOnlyBuilds
    self.builds = builds
  }

  /// What is known of its build for a kernel.
  public func build(for kernel: Kernel) -> BuildRecord? { builds.first { $0.kernel == kernel } }
}

/// A build of a module version that is in the tree.
public struct BuildRecord: Codable, Hashable, Sendable {
  /// The kernel it was built for.
  public var kernel: Kernel
  /// Whether it is the version that the kernel's module directory holds.
  public var isInstalled: Bool
  /// Whether what the kernel holds is what was built; known only of modules that were asked about.
  public var isSound: Bool
  /// The versions of the modules it needs that it was built with, by name, where the build noted them.
  public var dependencyVersions: [String: String]
  /// The kernel that it was built for, where the build noted it.
  public var fingerprint: KernelFingerprint?

  /// Makes a record.
  public init(
    kernel: Kernel, isInstalled: Bool, isSound: Bool = true, dependencyVersions: [String: String] = [:],
    fingerprint: KernelFingerprint? = nil
  ) {
    self.kernel = kernel
    self.isInstalled = isInstalled
    self.isSound = isSound
    self.dependencyVersions = dependencyVersions
    self.fingerprint = fingerprint
  }
}

extension TreeState {
  /// The same with records of module versions whose sources are elsewhere on the system.
  public func adding(_ sources: [ModuleID: String]) -> TreeState {
    let added = sources.map { ModuleRecord(id: $0.key, source: $0.value) }
    return TreeState(modules: (modules + added).sorted { $0.id.description < $1.id.description })
  }
}
