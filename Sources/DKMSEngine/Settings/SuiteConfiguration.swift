// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Glibc
internal import Host
public import SystemPackage

/// What the administrator says in `/etc/alpm-dkms.conf`.
public struct SuiteConfiguration: Codable, Hashable, Sendable {
  /// Modules without which a kernel must not be booted.
  public var critical: [NamePattern]
  /// Modules that a kernel may well lack.
  public var optional: [NamePattern]
  /// Modules that no verdict speaks of.
  public var ignored: [NamePattern]
  /// Kernels that are left alone: the hooks build nothing for them, and they get no verdict.
  public var ignoredKernels: [NamePattern]
  /// How long a build may print nothing before it is stopped; nil for no limit.
  public var silenceLimit: Duration?
  /// Who builds, and what builds may take; records leave it out, because no verdict goes by it.
  public var confinement = ConfinementOptions()
  /// How the cache of built modules is used; records leave it out likewise.
  public var cache = CacheOptions()
  /// What becomes of modules that others than root can change; nil for strict hooks, and a warning from `dkms`.
  public var trust: TrustPolicy?
  /// When initramfs images are made.
  public var initramfs: ImagePolicy
  /// The generator that makes them, where several are installed and none or more than one has made those there are.
  public var initramfsGenerator: ImageGenerator?

  private enum CodingKeys: CodingKey {
    case critical, optional, ignored, ignoredKernels, silenceLimit, initramfs, initramfsGenerator
  }

  /// Makes a configuration; the defaults are those of a file that says nothing.
  public init(
    critical: [NamePattern] = [], optional: [NamePattern] = [], ignored: [NamePattern] = [],
    ignoredKernels: [NamePattern] = [], silenceLimit: Duration? = .seconds(30 * 60),
    trust: TrustPolicy? = nil, initramfs: ImagePolicy = .auto, initramfsGenerator: ImageGenerator? = nil
  ) {
    self.critical = critical
    self.optional = optional
    self.ignored = ignored
    self.ignoredKernels = ignoredKernels
    self.silenceLimit = silenceLimit
    self.trust = trust
    self.initramfs = initramfs
    self.initramfsGenerator = initramfsGenerator
  }

  /// Whether a kernel is left alone.
  public func ignores(_ release: KernelRelease) -> Bool {
    ignoredKernels.contains { $0.matches(release.description) }
  }

  /// How much a module matters, by the name of its package or of a kernel module in it.
  ///
  /// What is critical stays so whatever else names it: `optional = *` beside `critical = zfs` means what it
  /// seems to mean.
  package func weight(of package: String, module: String? = nil) -> Finding.Weight? {
    let names = [package] + (module.map { [$0] } ?? [])
    let isNamed = { (patterns: [NamePattern]) in
      names.contains { name in patterns.contains { $0.matches(module: name) } }
    }
    if isNamed(critical) { return .critical }
    if isNamed(ignored) { return nil }
    return isNamed(optional) ? .optional : .normal
  }
}

extension SuiteConfiguration {
  /// What a file says, as far as it can be understood, and what cannot.
  ///
  /// A missing file sets nothing; something that is not a readable text file is a problem, and sets nothing
  /// either.
  public static func read(_ file: FilePath) -> (
    configuration: SuiteConfiguration, problems: [ConfigurationProblem]
  ) {
    let unusable = { (reason: String) in
      (
        SuiteConfiguration(),
        [ConfigurationProblem(file: file.string, line: nil, isError: true, text: reason)]
      )
    }
    do {
      guard let bytes = try Files.contents(file, sizeLimit) else { return (SuiteConfiguration(), []) }
      return parse(bytes, of: file.string)
    } catch {
      return unusable("it cannot be read: \(error.reason); the defaults are used")
    }
  }

  private static let sizeLimit = 256 << 10
}

/// What is wrong with a file of settings, or worth a remark.
public struct ConfigurationProblem: Codable, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The line, counted from 1; nil where it is the file itself.
  public let line: Int?
  /// Whether something in the file has no effect because of it.
  public let isError: Bool
  /// What is wrong, and what is allowed.
  public let text: String
  /// What fixes it, where that is known.
  public let fix: Remedy?

  private enum CodingKeys: String, CodingKey {
    case file, line, isError, text
    case fix = "remedy"
  }

  /// What fixes it, for people.
  public var remedy: String? { fix?.words }

  /// Describes a problem.
  public init(file: String, line: Int?, isError: Bool, text: String, remedy: String? = nil) {
    fix = remedy.map(Remedy.init)
    self.file = file
    self.line = line
    self.isError = isError
    self.text = text
  }

  /// `/etc/alpm-dkms.conf, line 3: …`.
  public var description: String { "\(file)\(line.map { ", line \($0)" } ?? ""): \(text)" }
}

/// A name, or a shell pattern for names, as fnmatch(3) reads it.
public struct NamePattern: Codable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  private let text: String

  /// The pattern as it is written.
  public var description: String { text }

  /// Takes a pattern as it is.
  public init(_ text: String) { self.text = text }

  /// Takes a pattern as it is.
  public init(stringLiteral text: String) { self.init(text) }

  /// Whether the pattern is this name or stands for it.
  func matches(_ name: String) -> Bool { fnmatch(text, name, 0) == 0 }

  /// The same for a module, in whose name the kernel takes a dash for an underscore.
  func matches(module name: String) -> Bool {
    [name, name.asKernelModuleName, name.replacing("_", with: "-")].contains { matches($0) }
  }
}
