// SPDX-License-Identifier: GPL-2.0-or-later

/// The version of alpm-dkms.
public enum Version {
  /// The version that packages carry.
  public static let current = "0.1.0"
}
