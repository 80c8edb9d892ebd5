// SPDX-License-Identifier: GPL-2.0-or-later

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
