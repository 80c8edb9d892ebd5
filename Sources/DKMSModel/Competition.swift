// SPDX-License-Identifier: GPL-2.0-or-later

/// One module of a package for a kernel: what was built, and what the kernel has of that name already.
public struct Competition: Codable, Hashable, Sendable {
  /// The name of the module, without `.ko`.
  public var name: String
  /// What the built module says of itself; nil as long as it is not built.
  public var built: ModuleIdentity?
  /// Files of that name in the kernel's directory.
  public var rivals: [Rival]

  /// Makes a comparison.
  public init(name: String, built: ModuleIdentity?, rivals: [Rival]) {
    self.name = name
    self.built = built
    self.rivals = rivals
  }

  /// A file in the kernel's directory whose place a built module would take.
  public struct Rival: Codable, Hashable, Sendable {
    /// Where it is.
    public var path: String
    /// What it says of itself.
    public var identity: ModuleIdentity
    /// Whether its bytes are those of the built module.
    public var isSameFile: Bool

    /// Describes a file.
    public init(path: String, identity: ModuleIdentity, isSameFile: Bool = false) {
      self.path = path
      self.identity = identity
      self.isSameFile = isSameFile
    }
  }

  /// Why the kernel's module stays; nil where the built one may take its place, or is not built yet.
  ///
  /// This is the one rule for which of two modules wins: plans, installations and verdicts go by it.
  public var refusal: String? {
    // If there are several of that name, it is unclear which one ours competes with.
    guard let built, rivals.count == 1, let rival = rivals.first else { return nil }
    if built == rival.identity {
      return built.isKnown || rival.isSameFile ? "\(rival.path) is the same already" : nil
    }
    guard VersionOrder(built.version) < VersionOrder(rival.identity.version) else { return nil }
    return "\(rival.path) is newer (\(rival.identity.version), ours is \(built.version))"
  }
}

/// Identifies one build of a kernel module, by what the module says about itself.
public struct ModuleIdentity: Codable, Hashable, Sendable {
  /// MODULE_VERSION; empty where it says none.
  public var version: String
  /// The digest of its sources that the kernel's build system puts in; empty where there is none.
  public var sourceVersion: String

  /// Makes an identity.
  public init(version: String, sourceVersion: String) {
    self.version = version
    self.sourceVersion = sourceVersion
  }

  /// Whether it says anything.
  public var isKnown: Bool { !version.isEmpty || !sourceVersion.isEmpty }
}
