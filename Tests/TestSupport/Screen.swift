// SPDX-License-Identifier: GPL-2.0-or-later

/// What a terminal shows of what is written to it, as far as programs here may use it: colours, and lines that they erase.
public struct Screen: Sendable, CustomStringConvertible {
  /// The lines that stay; the last one has not ended.
  public private(set) var lines = [""]
  /// What was shown in a line until it was erased.
  public private(set) var erased: [String] = []
  /// The escape sequences that came, without the escape character.
  public private(set) var escapes: Set<String> = []

  /// A terminal after all of a text.
  public init(_ text: String) {
    var escape: String?
    for scalar in text.unicodeScalars {
      if let begun = escape {
        let whole = begun + String(scalar)
        escape = scalar.properties.isAlphabetic ? nil : whole
        if escape == nil { obey(whole) }
        continue
      }
      switch scalar {
      case "\u{1B}": escape = ""
      case "\n": lines.append("")
      case "\r": break
      default: lines[lines.endIndex - 1].unicodeScalars.append(scalar)
      }
    }
  }

  private mutating func obey(_ sequence: String) {
    escapes.insert(sequence)
    guard sequence == Self.erasure, let last = lines.last else { return }
    if !last.isEmpty { erased.append(last) }
    lines[lines.endIndex - 1] = ""
  }

  /// Removes what is right of the cursor; a line is only erased whole.
  public static let erasure = "[K"

  /// What there was and is to see, for the message of a test that fails.
  public var description: String {
    "--- shown\n\(lines.joined(separator: "\n"))\n--- erased\n\(erased.joined(separator: "\n"))"
  }
}
