// SPDX-License-Identifier: GPL-2.0-or-later

/// A preset of mkinitcpio: one call of it, and what the call makes.
struct Preset: Hashable, Sendable {
  /// The name of its file without `.preset`.
  var file: String
  /// Its own name in the file.
  var name: String
  /// Its keys, `kver` and `image` among them, those for all presets where it does not set them itself.
  var values: [String: String]
  /// What else mkinitcpio is told.
  var options: [String]

  /// As mkinitcpio names it to its hooks.
  var fullName: String { "\(file)-\(name)" }
}
