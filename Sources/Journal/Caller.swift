// SPDX-License-Identifier: GPL-2.0-or-later

/// Who asked for the work that a record is about; other versions may know others.
package struct Caller: RawRepresentable, Codable, Hashable, Sendable {
  /// The word in the record.
  package let rawValue: String

  /// Takes any word.
  package init(rawValue: String) { self.rawValue = rawValue }

  /// A hook of pacman's.
  package static let pacman = Caller(rawValue: "pacman")
  /// `alpm-dkms reconcile`.
  package static let reconcile = Caller(rawValue: "reconcile")
  /// `alpm-dkms initramfs`.
  package static let initramfs = Caller(rawValue: "initramfs")
  /// `alpm-dkms replay --execute`.
  package static let replay = Caller(rawValue: "replay")
}
