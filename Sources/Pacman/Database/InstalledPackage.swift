// SPDX-License-Identifier: GPL-2.0-or-later

/// One package that the local database lists as installed.
public struct InstalledPackage: Hashable, Sendable {
  /// The package's name.
  public var name: String

  /// The installed version.
  public var version: PackageVersion

  /// The package base: what `%BASE%` records, or the name where nothing is recorded.
  ///
  /// Packages split from one build share it (`linux` and `linux-headers`).
  public var base: String

  /// When it was built, in seconds since 1970; 0 where that is not recorded.
  public var buildDate: Int

  /// Makes the value; a package without a base is its own.
  public init(name: String, version: PackageVersion, base: String? = nil, buildDate: Int = 0) {
    self.name = name
    self.version = version
    self.base = base ?? name
    self.buildDate = buildDate
  }
}
