// SPDX-License-Identifier: GPL-2.0-or-later

/// The targets of a trigger, matched as libalpm does.
struct TargetPatterns {
  private let patterns: [(pattern: PathPattern, isNegated: Bool)]

  /// Takes the targets in the order of the file; `!` negates, and a backslash makes a leading `!` literal.
  init(_ texts: [String]) {
    patterns = texts.map { text in
      let isMarked = text.hasPrefix("!") || text.hasPrefix("\\")
      return (PathPattern(isMarked ? String(text.dropFirst()) : text), text.hasPrefix("!"))
    }
  }

  /// Whether a path or package is meant: the last pattern that matches it decides.
  func match(_ text: String) -> Bool {
    patterns.last { $0.pattern.matches(text) }.map { !$0.isNegated } ?? false
  }
}
