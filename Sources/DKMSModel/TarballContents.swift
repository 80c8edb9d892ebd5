// SPDX-License-Identifier: GPL-2.0-or-later

/// What a tarball of a module holds.
public enum TarballContents: Codable, Hashable, Sendable {
  /// Its source, and what was built for some kernels.
  case sourceAndBuilds
  /// Its source alone.
  case sourceOnly
  /// What was built, and of the source no more than dkms.conf.
  case buildsOnly
}
