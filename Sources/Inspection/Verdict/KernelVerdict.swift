// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Initramfs

/// What was found of the modules and images of a kernel, and what of it is not as it should be.
package struct KernelVerdict: Codable, Hashable, Sendable {
  /// The kernel.
  package let kernel: Kernel
  /// Whether it is the one that runs.
  package let isRunning: Bool
  /// What is wrong, in the order in which it was looked for.
  package let findings: [Finding]
  /// The modules that the kernel rightly lacks.
  package let skips: [Skip]
  /// The images it was judged by.
  package let images: [ImageCondition]
  /// How many modules are installed as they should be.
  package let modulesInPlace: Int

  /// Makes a verdict.
  package init(
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
  package var standing: Standing {
    if findings.contains(where: { $0.weight == .critical && $0.effect == .unusable }) { return .blocked }
    if findings.contains(where: { $0.effect == .unknown }) { return .unknown }
    return findings.contains { $0.weight != .optional } ? .degraded : .fine
  }

  /// What was looked at and found as it should be, for people.
  package var summary: String {
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
  package enum Standing: String, Hashable, Sendable {
    /// All that was looked at is as it should be, except for what is optional.
    case fine
    /// Something that belongs to it is missing or old, but nothing critical is missing.
    case degraded
    /// It could not be looked at, so nobody knows.
    case unknown
    /// Something critical is missing or cannot be used: it must not be booted.
    case blocked
  }

  /// A module that a kernel rightly lacks.
  package struct Skip: Codable, Hashable, Sendable {
    /// The module version.
    package let module: ModuleID
    /// Why it is no finding.
    package let reason: String

    /// Makes a record of one.
    package init(_ module: ModuleID, _ reason: String) {
      self.module = module
      self.reason = reason
    }
  }
}
