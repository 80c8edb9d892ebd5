// SPDX-License-Identifier: GPL-2.0-or-later

/// A module that comes from outside the trees: out of a directory, or out of a tarball.
public struct ModuleOrigin: Codable, Hashable, Sendable {
  /// The module version, as its dkms.conf calls it.
  public var id: ModuleID
  /// The directory that holds the dkms.conf, and the source if there is one.
  public var directory: String
  /// Whether that directory holds the dkms.conf alone.
  public var holdsOnlyBuilds: Bool
  /// Directories of what was built of it.
  public var builds: [Kernel: String]
  /// Whether it comes out of a tarball that `mktarball` made.
  public var isTarball: Bool

  /// Describes where a module comes from.
  public init(
    _ id: ModuleID, directory: String, holdsOnlyBuilds: Bool = false, builds: [Kernel: String] = [:],
    isTarball: Bool = false
  ) {
    self.id = id
    self.directory = directory
    self.holdsOnlyBuilds = holdsOnlyBuilds
    self.builds = builds
    self.isTarball = isTarball
  }
}
