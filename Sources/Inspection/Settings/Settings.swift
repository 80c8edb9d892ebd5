// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host

/// All that the administrator has set: framework.conf with its files, and `/etc/alpm-dkms.conf`.
public struct Settings: Sendable {
  /// What framework.conf and its files say, and what alpm-dkms.conf says of the privilege of builds.
  public let framework: Framework
  /// What alpm-dkms.conf says.
  public let suite: SuiteConfiguration
  /// What is wrong with that file.
  public let problems: [ConfigurationProblem]

  /// Reads the files over a layout.
  ///
  /// - Throws: `DKMSError` where a file of framework.conf is no valid bash.
  public static func read(over layout: Layout, host: Host) async throws(DKMSError) -> Settings {
    var framework = try await Framework.read(over: layout, host: host)
    let (suite, problems) = SuiteConfiguration.read(framework.layout.suiteConfiguration)
    framework.options.confinement = suite.confinement
    return Settings(framework: framework, suite: suite, problems: problems)
  }
}
