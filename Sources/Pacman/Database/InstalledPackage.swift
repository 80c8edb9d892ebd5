// SPDX-License-Identifier: GPL-2.0-or-later

/// One package that the local database lists as installed.
public struct InstalledPackage: Hashable, Sendable {
  /// The package's name.
  public var name: String

  /// The installed version.
  public var version: String

  /// When it was built, in seconds since 1970; 0 where that is not recorded.
  public var buildDate: Int

  /// Makes the value.
  public init(name: String, version: String, buildDate: Int = 0) {
    self.name = name
    self.version = version
    self.buildDate = buildDate
  }
}
