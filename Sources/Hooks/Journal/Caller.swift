// SPDX-License-Identifier: GPL-2.0-or-later

/// Who asked for the work that a record is about.
package enum Caller: String, Codable {
  /// A hook of pacman's.
  case pacman
  /// `alpm-dkms reconcile`.
  case reconcile
  /// `alpm-dkms initramfs`.
  case initramfs
  /// `alpm-dkms replay --execute`.
  case replay
}
