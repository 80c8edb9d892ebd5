// SPDX-License-Identifier: GPL-2.0-or-later

/// Whether a kernel can be booted as it could before, and what speaks against it.
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

  /// Makes a verdict.
  public init(
    kernel: Kernel, isRunning: Bool, findings: [Finding] = [], skips: [Skip] = [],
    images: [ImageCondition] = []
  ) {
    self.kernel = kernel
    self.isRunning = isRunning
    self.findings = findings
    self.skips = skips
    self.images = images
  }

  /// The verdict in a word: what the worst of the findings makes it.
  public var standing: Standing {
    if findings.contains(where: { $0.weight == .critical && $0.effect == .unusable }) { return .blocked }
    if findings.contains(where: { $0.effect == .unknown }) { return .unknown }
    return findings.contains { $0.weight != .optional } ? .degraded : .asBefore
  }

  /// What can be said about a kernel; programs read the raw values.
  public enum Standing: String, Hashable, Sendable {
    /// It boots with all that belongs to it.
    case asBefore = "as_before"
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
