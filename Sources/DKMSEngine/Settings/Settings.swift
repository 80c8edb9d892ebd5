// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host

/// All that the administrator has set: framework.conf with its files, and `/etc/alpm-dkms.conf`.
public struct Settings: Sendable {
  /// What framework.conf and its files say, and what alpm-dkms.conf says of builds.
  public let framework: Framework
  /// What alpm-dkms.conf says, as far as it can be understood.
  public let suite: SuiteConfiguration
  /// What of it cannot be understood.
  public let problems: [ConfigurationProblem]

  /// Reads both.
  ///
  /// - Parameters:
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  ///   - trust: What becomes of modules that others than root can change, unless alpm-dkms.conf says it.
  /// - Returns: What is set.
  /// - Throws: `DKMSError` where framework.conf cannot be read, or is not to be run.
  public static func read(
    over layout: Layout, host: Host, trust: TrustPolicy = .strict
  ) async throws(DKMSError) -> Settings {
    let (suite, problems) = SuiteConfiguration.read(layout.suiteConfiguration)
    // Whoever can change the file could have it say that they are trusted.
    let isExposed = try layout.exposes(layout.suiteConfiguration)
    let policy = isExposed ? trust : suite.trust ?? trust
    var framework = try await Framework.read(over: layout, host: host, trust: policy)
    framework.options.confinement = suite.confinement
    framework.options.cache = suite.cache
    return Settings(framework: framework, suite: suite, problems: problems)
  }
}
