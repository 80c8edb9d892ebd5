// SPDX-License-Identifier: GPL-2.0-or-later

/// The version of alpm-dkms.
public enum Version {
  /// The version that packages carry.
  public static let current = "0.1.0"
}

/// The implementation whose behaviour towards scripts is matched.
public enum Reference {
  /// The version whose arguments, statuses and files are matched.
  public static let version = "3.4.3"
}
