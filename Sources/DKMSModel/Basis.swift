// SPDX-License-Identifier: GPL-2.0-or-later

/// What a step was planned from: it is carried out by this, and not by what a second look would find.
public struct Basis: Codable, Hashable, Sendable {
  /// What the dkms.conf of the module says for the kernel, where the step goes by it.
  public var configuration: ConfigurationFact?
  /// A digest of the files that say so; they must not have changed when the step is taken.
  public var configurationFiles: String?
  /// What tells the kernel from another of its release.
  public var fingerprint: KernelFingerprint?
  /// What the kernel has of the modules' names.
  public var competitions: [Competition]
  /// Whether what the kernel has is overruled.
  public var overrulesKernel: Bool

  /// Makes a basis; that of a step that goes by nothing but its own values.
  public init(
    configuration: ConfigurationFact? = nil, configurationFiles: String? = nil,
    fingerprint: KernelFingerprint? = nil, competitions: [Competition] = [], overrulesKernel: Bool = false
  ) {
    self.configuration = configuration
    self.configurationFiles = configurationFiles
    self.fingerprint = fingerprint
    self.competitions = competitions
    self.overrulesKernel = overrulesKernel
  }
}
