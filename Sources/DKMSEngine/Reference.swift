// SPDX-License-Identifier: GPL-2.0-or-later

/// The implementation whose behaviour towards scripts is matched.
public enum Reference {
  /// The version whose arguments, statuses and files are matched.
  public static let version = "3.4.3"
}
