// SPDX-License-Identifier: GPL-2.0-or-later

/// What was found of the modules and images of a kernel, and what of it is not as it should be.
public struct KernelVerdict: Codable, Hashable, Sendable {
  /// The kernel.
  public let kernel: Kernel
  /// Whether it is the one that runs.
  public let isRunning: Bool
  /// What is wrong, in the order in which it was looked for.
  public let findings: [Finding]
  /// What the kernel lacks rightly.
  public let skips: [Skip]
  /// The images it was judged by.
  public let images: [ImageCondition]
  /// How many modules are installed as they should be.
  public let modulesInPlace: Int

  /// Makes a verdict.
  public init(
    kernel: Kernel, isRunning: Bool, findings: [Finding] = [], skips: [Skip] = [],
    images: [ImageCondition] = [], modulesInPlace: Int = 0
  ) {
    self.kernel = kernel
    self.isRunning = isRunning
    self.findings = findings
    self.skips = skips
    self.images = images
    self.modulesInPlace = modulesInPlace
  }

  /// The verdict in a word: what the worst of the findings makes it.
  public var standing: Standing {
    if findings.contains(where: { $0.weight == .critical && $0.effect == .unusable }) { return .blocked }
    if findings.contains(where: { $0.effect == .unknown }) { return .unknown }
    return findings.contains { $0.weight != .optional } ? .degraded : .fine
  }

  /// What was looked at and found as it should be, for people.
  public var summary: String {
    let fresh = images.count(where: \.isFresh)
    let missing = findings.count { $0.weight == .optional }
    let parts = [
      modulesInPlace > 0 ? "\(modulesInPlace.counted("module")) in place" : nil,
      fresh > 0 ? "\(fresh.counted("image")) fresh" : nil,
      missing > 0 ? "\(missing.counted("optional problem"))" : nil,
    ].compactMap { $0 }
    return parts.isEmpty ? "no module belongs to it" : parts.joined(separator: ", ")
  }

  /// What can be said about a kernel; programs read the raw values.
  public enum Standing: String, Hashable, Sendable {
    /// All that was looked at is as it should be, except for what is optional.
    case fine
    /// Something that belongs to it is missing or old, but nothing critical is missing.
    case degraded
    /// It could not be looked at, so nobody knows.
    case unknown
    /// Something critical is missing or cannot be used: it must not be booted.
    case blocked
  }

  /// A module that a kernel lacks rightly.
  public struct Skip: Codable, Hashable, Sendable {
    /// The module version.
    public let module: ModuleID
    /// Why it is no finding.
    public let reason: String

    /// Makes a record of one.
    public init(_ module: ModuleID, _ reason: String) {
      self.module = module
      self.reason = reason
    }
  }
}

/// The state of a kernel's modules: the facts that a verdict is made from.
public struct KernelCondition: Codable, Hashable, Sendable {
  /// The kernel.
  public var kernel: Kernel
  /// Whether it is the one that runs.
  public var isRunning: Bool
  /// Whether it loads signed modules only.
  public var enforcesSignatures: Bool
  /// Whether something is wrong with the files by which modprobe finds its modules.
  public var hasStaleDependencies: Bool
  /// What is wrong with them; nil also in records that do not say it.
  public var indexFlaw: IndexFlaw?
  /// The modules that belong to it, sorted by name.
  public var modules: [ModuleCondition]
  /// The images that it boots with.
  public var images: [ImageCondition] = []
  /// The files that should be this kernel and are others.
  public var strays: [StrayKernel] = []
  /// What could not be looked at; then nothing is known about the kernel.
  public var failedLook: DKMSError?

  /// Makes a description; by default, that of a kernel without modules and without problems.
  public init(
    kernel: Kernel, isRunning: Bool = false, enforcesSignatures: Bool = false,
    hasStaleDependencies: Bool = false, indexFlaw: IndexFlaw? = nil, modules: [ModuleCondition] = [],
    failedLook: DKMSError? = nil
  ) {
    self.kernel = kernel
    self.isRunning = isRunning
    self.enforcesSignatures = enforcesSignatures
    self.hasStaleDependencies = hasStaleDependencies || indexFlaw != nil
    self.indexFlaw = indexFlaw
    self.modules = modules
    self.failedLook = failedLook
  }
}

/// The state of one module for one kernel.
public struct ModuleCondition: Codable, Hashable, Sendable {
  /// The version that belongs to the kernel: the newest one whose source is there.
  public var id: ModuleID
  /// The names of the kernel modules in it, as far as they are known.
  public var moduleNames: [String]
  /// The version that is installed.
  public var installed: ModuleID?
  /// Whether the installed version has lost its source package to another one.
  public var usesKeptSource: Bool
  /// Whether the installed version was built for another kernel of the same release.
  public var isForAnotherKernel = false
  /// Whether `id` is built.
  public var isBuilt: Bool
  /// What keeps `id` from being built.
  public var obstacle: DKMSError?
  /// The last build of `id`, if that failed.
  public var failure: FailedBuild?
  /// Where its source comes from; only looked for if its build failed.
  public var origin: SourceOrigin?
  /// The files that the installed version, or else the built one, should have in the kernel's directory.
  public var files: [ModuleFileCondition]

  /// Makes a description; by default, that of a module with nothing built or installed.
  public init(
    id: ModuleID, moduleNames: [String] = [], installed: ModuleID? = nil, usesKeptSource: Bool = false,
    isBuilt: Bool = false, obstacle: DKMSError? = nil, failure: FailedBuild? = nil,
    files: [ModuleFileCondition] = []
  ) {
    self.id = id
    self.moduleNames = moduleNames
    self.installed = installed
    self.usesKeptSource = usesKeptSource
    self.isBuilt = isBuilt
    self.obstacle = obstacle
    self.failure = failure
    self.files = files
  }
}

/// A build that failed and has not been fixed.
public struct FailedBuild: Codable, Hashable, Sendable {
  /// Its log.
  public var log: String
  /// The first error in the log, where one was found.
  public var firstError: String?

  /// Describes a failure.
  public init(log: String, firstError: String?) {
    self.log = log
    self.firstError = firstError
  }
}

/// The state of one kernel module that should be in a kernel's directory.
public struct ModuleFileCondition: Codable, Hashable, Sendable {
  /// The name of the module, without `.ko`.
  public var name: String
  /// The file, or where it should be.
  public var path: String
  /// Whether the file is there.
  public var exists: Bool
  /// The file as it was built; nil where that is missing.
  public var builtPath: String?
  /// Whether the file is what was built; nil where that is missing.
  public var isAsBuilt: Bool?
  /// Whether modules.dep names it.
  public var isListed: Bool
  /// What the module says of itself.
  public var information: Information
  /// The kernel's own module that stays because it is not older; only looked for if the file is missing.
  public var kernelsOwn: String?

  /// Makes a description; by default, nothing is wrong with the file.
  public init(
    name: String, path: String, exists: Bool = true, builtPath: String? = nil, isAsBuilt: Bool? = true,
    isListed: Bool = true, information: Information = .unknown, kernelsOwn: String? = nil
  ) {
    self.name = name
    self.path = path
    self.exists = exists
    self.builtPath = builtPath
    self.isAsBuilt = isAsBuilt
    self.isListed = isListed
    self.information = information
    self.kernelsOwn = kernelsOwn
  }

  /// What a module file says of itself.
  public enum Information: Codable, Hashable, Sendable {
    /// There was no way to ask.
    case unknown
    /// It is no module.
    case unreadable
    /// The kernel release it was built for, and whether a signature is appended to it.
    case read(release: String, isSigned: Bool)
  }
}

/// A file that a boot loader takes for a kernel, and that is another one, whose modules are not installed.
public struct StrayKernel: Codable, Hashable, Sendable {
  /// The file.
  public var path: String
  /// The release that it tells itself.
  public var release: String
  /// The kernel that it should be.
  public var kernel: Kernel
  /// A file that is that kernel; nil where none is known.
  public var replacement: String?

  /// Describes one.
  public init(path: String, release: String, kernel: Kernel, replacement: String? = nil) {
    self.path = path
    self.release = release
    self.kernel = kernel
    self.replacement = replacement
  }

  /// What is wrong with it, for people, to be said after its name.
  public var reason: String {
    "it is the kernel \(release), whose modules are not installed; those of \(kernel.release) are"
  }

  /// What is to be done.
  public var remedy: String {
    let images = "alpm-dkms initramfs \(kernel.release)"
    let first = "see that its file system is mounted and can be written to, then"
    guard let replacement else { return "\(first) install the kernel's package again, and: \(images)" }
    return "\(first): cp \(replacement.quotedForShell) \(path.quotedForShell) && \(images)"
  }
}

/// The state of an image compared with its kernel's modules: the facts that decide whether it is rebuilt.
public struct ImageCondition: Codable, Hashable, Sendable {
  /// The image.
  public var image: InitramfsImage
  /// The kernel modules in it, sorted by name.
  public var modules: [String]
  /// What makes it stale, the most important first, or why that is not known.
  public var flaws: [ImageFlaw]

  /// Makes a description; an image without flaws is fresh.
  public init(image: InitramfsImage, modules: [String] = [], flaws: [ImageFlaw] = []) {
    self.image = image
    self.modules = modules
    self.flaws = flaws
  }

  /// Whether it holds exactly what is installed.
  public var isFresh: Bool { flaws.isEmpty }

  /// Whether a look failed, so that it is neither fresh nor stale.
  public var isUnknown: Bool { flaws.contains(where: \.isUnknown) }
}

/// Why an image is not what its generator would make now.
public enum ImageFlaw: Codable, Hashable, Sendable {
  /// There is no such file.
  case missing
  /// It was read, and what is in it makes no sense.
  case unreadable(reason: String)
  /// It is for a kernel of this release, of which it has the modules, or which is in it itself.
  case otherKernel(release: String)
  /// A look at it, or at what it is compared with, failed: it may be as it should be.
  case unknown(reason: String)
  /// A module in it has other contents than the one that modprobe would load.
  case differs(module: String)
  /// A module in it is no longer installed.
  case gone(module: String)
  /// An installed module is not in it though the generator's configuration asks for it, in this place.
  case lacks(module: String, askedForBy: String)

  /// Whether it says that nothing is known about the image.
  public var isUnknown: Bool { if case .unknown = self { true } else { false } }
}
