// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

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
  /// When initramfs images are made.
  public var initramfs: ImagePolicy
  /// The generator that makes them, where several are installed and none or more than one has made those there are.
  public var initramfsGenerator: ImageGenerator?

  /// Makes a configuration; the defaults are those of a file that says nothing.
  public init(
    critical: [NamePattern] = [], optional: [NamePattern] = [], ignored: [NamePattern] = [],
    ignoredKernels: [NamePattern] = [], silenceLimit: Duration? = .seconds(30 * 60),
    initramfs: ImagePolicy = .auto, initramfsGenerator: ImageGenerator? = nil
  ) {
    self.critical = critical
    self.optional = optional
    self.ignored = ignored
    self.ignoredKernels = ignoredKernels
    self.silenceLimit = silenceLimit
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
  func weight(of package: String, module: String? = nil) -> Finding.Weight? {
    let names = [package] + (module.map { [$0] } ?? [])
    let isNamed = { (patterns: [NamePattern]) in
      names.contains { name in patterns.contains { $0.matches(module: name) } }
    }
    if isNamed(critical) { return .critical }
    if isNamed(ignored) { return nil }
    return isNamed(optional) ? .optional : .normal
  }
}
