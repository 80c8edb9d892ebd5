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
  /// What fixes it, where that is known.
  public let fix: Remedy?

  private enum CodingKeys: String, CodingKey {
    case subject, weight, effect, cause, reason, log
    case fix = "remedy"
  }

  /// What fixes it, for people.
  public var remedy: String? { fix?.words }

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
    fix = remedy.map(Remedy.init)
  }

  /// How much a module matters to a kernel; the raw values are read by programs.
  public enum Weight: String, Codable, Hashable, Sendable {
    /// Without it the kernel must not be booted.
    case critical
    /// The kernel is worse without it.
    case normal
    /// Problems with it are reported, and change no verdict.
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

  /// What is wrong: the module itself, or something that it depends on.
  public enum Cause: String, Codable, Hashable, Sendable {
    /// The module: it is missing, old, or not what it should be.
    case module
    /// The headers of the kernel are missing.
    case headersMissing = "headers_missing"
    /// The source of the module is missing.
    case sourceMissing = "source_missing"
    /// Its dkms.conf says nothing.
    case configuration
    /// Others than root can change what would be run for it.
    case untrusted
    /// The kernel is another one of the release than what it was built for.
    case otherKernel = "other_kernel"
    /// What depmod wrote is damaged, older than the modules, or does not name them.
    case dependencies
    /// A look at the disk failed.
    case failedLook = "failed_look"
  }
}
