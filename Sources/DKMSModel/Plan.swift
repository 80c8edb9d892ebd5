// SPDX-License-Identifier: GPL-2.0-or-later

/// All that a transaction will do, decided before any of it is done.
///
/// Steps name only earlier steps as their conditions, so a plan has no cycles.
public struct Plan: Codable, Hashable, Sendable {
  /// The steps in an order in which they could run one after another.
  public private(set) var steps: [PlannedStep] = []
  /// What was considered and is not done, each with its reason.
  public private(set) var skips: [Skip] = []

  private enum CodingKeys: String, CodingKey { case steps, skips }

  /// Makes an empty plan.
  public init() {}

  /// Reads a plan that was written down.
  ///
  /// - Throws: `DecodingError` also where a step waits for one that does not come before it.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    steps = try container.decode([PlannedStep].self, forKey: .steps)
    skips = try container.decode([Skip].self, forKey: .skips)
    for (index, step) in steps.enumerated() {
      guard (step.required + step.earlier).allSatisfy((0..<index).contains) else {
        throw DecodingError.dataCorruptedError(
          forKey: .steps, in: container,
          debugDescription: "step \(index) waits for one that does not precede it")
      }
    }
  }

  /// Whether there is nothing to do.
  public var isEmpty: Bool { steps.isEmpty }

  /// The errors that keep something from being done, in the order in which they were met.
  ///
  /// One that is in the way of several modules is named once.
  public var obstacles: [DKMSError] {
    var known: Set<DKMSError> = []
    return skips.compactMap(\.obstacle).filter { known.insert($0).inserted }
  }

  /// Adds a step.
  ///
  /// - Parameters:
  ///   - step: What is done.
  ///   - reason: Why it is done.
  ///   - required: Steps that must have succeeded before.
  ///   - earlier: Steps that must have ended before, at least one of them well.
  ///   - isOptional: Whether steps that require it are taken even if it fails.
  ///   - basis: What it was planned from.
  /// - Returns: The number by which later steps name this one.
  @discardableResult
  public mutating func append(
    _ step: Step, because reason: Reason, requires required: [Int] = [], after earlier: [Int] = [],
    isOptional: Bool = false, basis: Basis = Basis()
  ) -> Int {
    precondition((required + earlier).allSatisfy(steps.indices.contains), "a step names a later one")
    steps.append(
      PlannedStep(
        step: step, reason: reason, required: required, earlier: earlier, isOptional: isOptional,
        basis: basis))
    return steps.count - 1
  }

  /// Says what the registration of a module was planned from.
  public mutating func ground(additionOf id: ModuleID, on basis: Basis) {
    for (index, planned) in steps.enumerated() {
      guard case .add(id, _) = planned.step else { continue }
      steps[index] = PlannedStep(
        step: planned.step, reason: planned.reason, required: planned.required, earlier: planned.earlier,
        isOptional: planned.isOptional, basis: basis)
    }
  }

  /// Records what is left out.
  public mutating func skip(_ skip: Skip) {
    skips.append(skip)
  }
}

/// A step, why it is taken, and what it waits for.
public struct PlannedStep: Codable, Hashable, Sendable {
  /// What is done.
  public let step: Step
  /// Why it is done.
  public let reason: Reason
  /// Steps that must have succeeded before.
  public let required: [Int]
  /// Steps that must have ended before, at least one of them well.
  public let earlier: [Int]
  /// Whether its failure is only a warning, and what requires it goes on without it.
  public let isOptional: Bool
  /// What it was planned from, and is carried out by.
  public let basis: Basis
}

/// One change of the trees.
public enum Step: Codable, Hashable, Sendable {
  /// Register a module version whose source is in this directory.
  case add(ModuleID, source: String)
  /// Point the `source` link of a registered module to this directory.
  case relink(ModuleID, source: String)
  /// Make the key and the certificate with which modules are signed.
  case makeKeys(KeyPair)
  /// Build it, replacing what was built before once the new build stands.
  case build(ModuleID, Kernel)
  /// Bring a source into the source tree, from this directory; with `replaces`, what is there is removed;
  /// without it, files stay that the new source does not have.
  case copySource(ModuleID, from: String, replaces: Bool)
  /// Register a module version of which there are only builds and this dkms.conf.
  case addWithoutSource(ModuleID, configuration: String)
  /// Take over what was built elsewhere, from this directory.
  case loadBuild(ModuleID, Kernel, from: String)
  /// Write a module's source, or its builds for these kernels, or both, to a tarball.
  case makeTarball(ModuleID, [Kernel], TarballContents, file: String)
  /// Take what the kernel's directory holds of it for its build.
  case adopt(ModuleID, Kernel)
  /// Put the built modules into the kernel's directory, in the place of another version's.
  case install(ModuleID, Kernel)
  /// Take the modules out of the kernel's directory.
  case uninstall(ModuleID, Kernel)
  /// Forget what was built.
  case unbuild(ModuleID, Kernel)
  /// Forget the module version.
  case unregister(ModuleID)
  /// Remove the kept copy of a source that is there itself.
  case discardKeptSource(ModuleID)
  /// Write the kernel's module dependencies anew.
  case depmod(KernelRelease)
  /// Note that a kernel's modules stay until the next boot, though the kernel is gone.
  case keep(KernelRelease)
  /// Load the modules that the devices of the running system ask for.
  case load(KernelRelease)
  /// Run the administrator's command that follows a change of modules.
  case follow(command: String)
}

/// Why a step is taken.
public enum Reason: Codable, Hashable, Sendable {
  /// It was asked for by name.
  case requested
  /// The module's source is new or changed.
  case sourceChanged
  /// The kernel or its headers are new or changed.
  case kernelChanged
  /// The kernel has no such module yet.
  case notInstalled
  /// A module that it needs is new or changed.
  case dependencyChanged(ModuleID)
  /// Another version took its place.
  case replaced(by: ModuleID)
  /// The module's source is gone.
  case sourceGone
  /// The kernel is gone.
  case kernelGone
  /// Modules of the kernel change.
  case modulesChange
  /// It has never been built for the kernel: an earlier transaction did not get that far.
  case leftUndone
  /// The tree has lost the record of it.
  case recordLost
  /// Another kernel has it.
  case matched
  /// Modules of the kernel are signed.
  case signing
  /// modules.dep could not be written with what came.
  case dependenciesFailed
}

/// A thing that could have been done and is not.
public struct Skip: Codable, Hashable, Sendable {
  /// The module version.
  public let id: ModuleID
  /// The kernel; nil where it concerns all.
  public let kernel: Kernel?
  /// Why it is left out.
  public let cause: Cause

  /// Makes a record of what is left out.
  public init(_ id: ModuleID, _ kernel: Kernel?, _ cause: Cause) {
    self.id = id
    self.kernel = kernel
    self.cause = cause
  }

  /// The error that is in the way, where one is.
  public var obstacle: DKMSError? { if case .obstacle(let error) = cause { error } else { nil } }

  /// Why something is left out.
  public enum Cause: Codable, Hashable, Sendable {
    /// It is up to date.
    case upToDate
    /// The conf does not set AUTOINSTALL.
    case notAutoinstalled
    /// It comes from elsewhere, but the tree has a build already.
    case builtAlready
    /// It would be removed, but nothing can take its place.
    case lastGood
    /// Something is in the way; whether that is a failure depends on the error.
    case obstacle(DKMSError)
  }
}

/// What a step was planned from: it is carried out according to this, not to what a second look would find.
public struct Basis: Codable, Hashable, Sendable {
  /// What the dkms.conf of the module says for the kernel, where the step goes by it.
  public var configuration: ConfigurationFact?
  /// A digest of those files; they must not have changed when the step is carried out.
  public var configurationFiles: String?
  /// Identifies the kernel among others of the same release.
  public var fingerprint: KernelFingerprint?
  /// What the kernel has of the modules' names.
  public var competitions: [Competition]
  /// What of it the kernel's directory holds already, where that is taken for its build.
  public var installation: UnrecordedInstallation?
  /// Whether to install regardless of what the kernel has.
  public var overrulesKernel: Bool
  /// Whether the build may write to the module's source, so that no other build of the module may run at the
  /// same time.
  public var buildsInSource: Bool

  /// Makes a basis; by default, that of a step that depends only on its own values.
  public init(
    configuration: ConfigurationFact? = nil, configurationFiles: String? = nil,
    fingerprint: KernelFingerprint? = nil, competitions: [Competition] = [], overrulesKernel: Bool = false,
    buildsInSource: Bool = false
  ) {
    self.configuration = configuration
    self.configurationFiles = configurationFiles
    self.fingerprint = fingerprint
    self.competitions = competitions
    self.overrulesKernel = overrulesKernel
    self.buildsInSource = buildsInSource
  }
}

extension Reason {
  /// Why, as part of a sentence.
  public var words: String {
    switch self {
    case .requested: "it was asked for"
    case .notInstalled: "the kernel has no such module yet"
    case .modulesChange: "modules of the kernel change"
    case .matched: "another kernel has it"
    case .sourceChanged: "its source is new or changed"
    case .kernelChanged: "the kernel is new or changed"
    case .dependencyChanged(let id): "it needs \(id), which changed"
    case .replaced(let id): "\(id) takes its place"
    case .sourceGone: "its source is gone"
    case .kernelGone: "the kernel is gone"
    case .recordLost: "no record of it was left"
    case .leftUndone: "an earlier transaction left it undone"
    case .signing: "modules are signed with it"
    case .dependenciesFailed: "modules.dep could not be written"
    }
  }
}

extension Skip.Cause {
  /// Why, as part of a sentence.
  public var words: String {
    switch self {
    case .upToDate: "it is up to date"
    case .notAutoinstalled: "its dkms.conf does not set AUTOINSTALL"
    case .builtAlready: "the tree has a build already"
    case .lastGood: "nothing can take its place"
    case .obstacle(let error): "\(error)"
    }
  }
}
