// SPDX-License-Identifier: GPL-2.0-or-later

/// All that a plan is made from, read at one moment; the same facts give the same plan anywhere.
public struct Facts: Codable, Hashable, Sendable {
  /// The running kernel; it only matters where something is done to the running system.
  public var runningRelease: String
  /// Where sources belong.
  public var sourceTree: String
  /// What the DKMS tree holds.
  public var tree: TreeState
  /// Source directories of modules, registered or not.
  public var sources: [ModuleID: String]
  /// Copies of sources that outlive their packages.
  public var keptSources: [ModuleID: String]
  /// A module that is to be brought in.
  public var origin: ModuleOrigin?
  /// The kernels that were asked about.
  public var kernels: [Kernel: KernelFacts]
  /// What the dkms.conf of a module says for a kernel.
  public var configurations: [ModuleID: [Kernel: ConfigurationFact]]
  /// Names of the modules that were built of sources that are gone.
  public var productNames: [ModuleID: Set<String>] = [:]
  /// Digests of the files that those were evaluated from.
  public var configurationFiles: [ModuleID: [Kernel: String]] = [:]
  /// Modules whose builds may work in their sources.
  public var builtInSource: Set<ModuleID> = []
  /// What kernels have in the place of modules that may be installed.
  public var competitions: [ModuleID: [Kernel: [Competition]]] = [:]
  /// What kernels hold of modules whose builds are not on record.
  public var unrecorded: [ModuleID: [Kernel: UnrecordedInstallation]] = [:]
  /// The kernels for which the last build of a module failed.
  public var failedBuilds: [ModuleID: Set<Kernel>] = [:]
  /// The kernels for which the last installation of a module that is built failed.
  public var failedInstallations: [ModuleID: Set<Kernel>] = [:]
  /// Who else than root can change what is run; nil where nothing is to be run, so that nobody has looked.
  public var trust: TrustFacts?

  /// Makes facts.
  public init(
    runningRelease: String = "", sourceTree: String = "/usr/src", tree: TreeState = TreeState(),
    sources: [ModuleID: String] = [:],
    keptSources: [ModuleID: String] = [:], origin: ModuleOrigin? = nil,
    kernels: [Kernel: KernelFacts] = [:],
    configurations: [ModuleID: [Kernel: ConfigurationFact]] = [:]
  ) {
    self.runningRelease = runningRelease
    self.sourceTree = sourceTree
    self.tree = tree
    self.sources = sources
    self.keptSources = keptSources
    self.origin = origin
    self.kernels = kernels
    self.configurations = configurations
  }
}

extension Facts {
  /// The directives in each module's configuration that are no longer used, once for all kernels.
  public var deprecations: [ModuleID: [String]] {
    configurations.mapValues { facts in
      Set(facts.values.flatMap { $0.configuration?.deprecated ?? [] }).sorted()
    }.filter { !$0.value.isEmpty }
  }
}

/// What is known of a kernel.
public struct KernelFacts: Codable, Hashable, Sendable {
  /// Its module directory.
  public var directory: String
  /// Whether that directory exists.
  public var exists: Bool
  /// Where its headers belong.
  public var headersDirectory: String
  /// Whether they are there.
  public var hasHeaders: Bool
  /// The package that holds them, where the kernel says it.
  public var headersPackage: String?
  /// Kernels that are not there, but whose headers are, if this one's are not: those of another version of that package.
  public var strayHeaders: [KernelRelease]?
  /// Whether depmod has to run for it, whatever else is done to it.
  public var hasStaleDependencies: Bool
  /// What is wrong with the files by which modprobe finds its modules.
  public var indexFlaw: IndexFlaw?
  /// Identifies it among other kernels of this release, if that was asked for.
  public var fingerprint: KernelFingerprint?
  /// How its modules are signed; nil where nobody has looked.
  public var signing: SigningFacts?
  /// Why nothing can be compiled for it; nil where something can.
  public var toolchainError: DKMSError?
  /// What could not be looked at; then nothing is known about the kernel, and nothing is done to it.
  public var failedLook: DKMSError?

  /// Makes a description of a kernel.
  public init(
    directory: String, exists: Bool, headersDirectory: String, hasHeaders: Bool, headersPackage: String?,
    hasStaleDependencies: Bool = false, indexFlaw: IndexFlaw? = nil, fingerprint: KernelFingerprint? = nil,
    signing: SigningFacts? = nil, toolchainError: DKMSError? = nil, failedLook: DKMSError? = nil
  ) {
    self.directory = directory
    self.exists = exists
    self.headersDirectory = headersDirectory
    self.hasHeaders = hasHeaders
    self.headersPackage = headersPackage
    self.hasStaleDependencies = hasStaleDependencies
    self.indexFlaw = indexFlaw
    self.fingerprint = fingerprint
    self.signing = signing
    self.toolchainError = toolchainError
    self.failedLook = failedLook
  }
}

extension Facts {
  /// Whether a build was made for another kernel of the same release; nil where that is not known.
  public func isForAnotherKernel(_ build: BuildRecord) -> Bool? {
    guard let present = kernels[build.kernel]?.fingerprint, let built = build.fingerprint else { return nil }
    return !built.matches(present)
  }
}

/// What came of evaluating a dkms.conf.
public enum ConfigurationFact: Codable, Hashable, Sendable {
  /// What it says.
  case read(ModuleConfiguration)
  /// Why it says nothing.
  case unreadable(DKMSError)

  /// What it says, if anything.
  public var configuration: ModuleConfiguration? {
    if case .read(let configuration) = self { configuration } else { nil }
  }

  /// Why it says nothing, if it does not.
  public var error: DKMSError? { if case .unreadable(let error) = self { error } else { nil } }
}

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
    /// The module of another name that has installed it, if one has.
    public var installer: ModuleID?

    /// Describes a file.
    public init(
      path: String, identity: ModuleIdentity, isSameFile: Bool = false, installer: ModuleID? = nil
    ) {
      self.path = path
      self.identity = identity
      self.isSameFile = isSameFile
      self.installer = installer
    }

    fileprivate var name: String { path + (installer.map { ", which \($0) has installed," } ?? "") }
  }

  /// Why the kernel's module stays; nil where the built one may take its place, or is not built yet.
  ///
  /// This is the one rule for which of two modules wins: plans, installations and verdicts go by it.
  public var refusal: String? {
    // If there are several of that name, it is unclear which one ours competes with.
    guard let built, rivals.count == 1, let rival = rivals.first else { return nil }
    if built == rival.identity {
      return built.isKnown || rival.isSameFile ? "\(rival.name) is the same already" : nil
    }
    guard VersionOrder(built.version) < VersionOrder(rival.identity.version) else { return nil }
    return "\(rival.name) is newer (\(rival.identity.version), ours is \(built.version))"
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

/// What a tarball of a module holds.
public enum TarballContents: Codable, Hashable, Sendable {
  /// Its source, and what was built for some kernels.
  case sourceAndBuilds
  /// Its source alone.
  case sourceOnly
  /// What was built, and of the source no more than dkms.conf.
  case buildsOnly
}
