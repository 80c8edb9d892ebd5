// SPDX-License-Identifier: GPL-2.0-or-later

extension Unicode.Scalar {
  /// Whether a terminal would obey it.
  package var isControl: Bool { properties.generalCategory == .control }
}

extension String {
  /// The text with its control characters written out, so that a terminal does not obey them.
  package var withVisibleControls: String {
    unicodeScalars.map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}
