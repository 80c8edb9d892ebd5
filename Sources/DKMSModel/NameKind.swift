// SPDX-License-Identifier: GPL-2.0-or-later

/// What a checked name stands for, so that an error can say it.
public enum NameKind: String, Codable, Sendable {
  /// `PACKAGE_NAME` of a dkms.conf.
  case moduleName = "module name"
  /// `PACKAGE_VERSION` of a dkms.conf.
  case moduleVersion = "module version"
  /// A kernel release.
  case kernelRelease = "kernel release"
  /// An architecture.
  case architecture = "architecture"
  /// What the caller sets over every dkms.conf.
  case directive = "directive"
}
