// SPDX-License-Identifier: GPL-2.0-or-later

/// One path together with a package that owns it.
public struct OwnedPath: Hashable, Sendable {
  /// The owning package's name.
  public var package: String

  /// The path as the database stores it: no leading slash, and `/` after a directory.
  public var path: String

  /// Makes the value.
  public init(package: String, path: String) {
    self.package = package
    self.path = path
  }
}
