// SPDX-License-Identifier: GPL-2.0-or-later

/// One thing that is wrong with a kernel, and how to fix it.
public struct Finding: Codable, Hashable, Sendable {
  /// What it is about: a module version, or a file of the kernel.
  public let subject: String
  /// How much the subject matters.
  public let weight: Weight
  /// What it does to the subject.
  public let effect: Effect
  /// What is wrong, for programs that sort findings.
  public let cause: Cause
  /// What is wrong.
  public let reason: String
  /// The log that tells more, where there is one.
  public let log: String?
  /// The command that fixes it, or what to do first, where that is known.
  public let remedy: String?

  /// Makes a finding.
  public init(
    _ subject: String, _ weight: Weight, _ effect: Effect, _ reason: String, cause: Cause = .module,
    log: String? = nil, remedy: String? = nil
  ) {
    self.subject = subject
    self.weight = weight
    self.effect = effect
    self.cause = cause
    self.reason = reason
    self.log = log
    self.remedy = remedy
  }

  /// How much a module matters to a kernel; the raw values are read by programs.
  public enum Weight: String, Codable, Hashable, Sendable {
    /// Without it the kernel must not be booted.
    case critical
    /// The kernel is worse without it.
    case normal
    /// It is told, and no more.
    case optional
  }

  /// What is left of a module; the raw values are read by programs.
  public enum Effect: String, Codable, Hashable, Sendable {
    /// It is missing, or the kernel will not load it.
    case unusable
    /// It works, but is old or not what it should be.
    case impaired
    /// It could not be looked at.
    case unknown
  }

  /// What is wrong, as far as something else than the module itself is.
  public enum Cause: String, Codable, Hashable, Sendable {
    /// The module: it is missing, old, or not what it should be.
    case module
    /// The headers of the kernel are missing.
    case headersMissing
    /// The source of the module is missing.
    case sourceMissing
    /// Its dkms.conf says nothing.
    case configuration
    /// The kernel is another one of the release than what it was built for.
    case otherKernel
    /// modules.dep is older than the modules, or does not name them.
    case dependencies
    /// A look at the disk failed.
    case failedLook
  }
}
