// SPDX-License-Identifier: GPL-2.0-or-later

/// A call of one of our commands, from which the call to be typed in its place is made.
package struct Call: Equatable {
  /// The command.
  package let program: String
  /// What stands after it.
  package let words: [String]

  /// Describes a call.
  package init(_ program: String, _ words: [String]) {
    self.program = program
    self.words = words
  }

  /// The call, quoted as a shell wants it.
  package var text: String { ([program] + words.map(\.quotedForShell)).joined(separator: " ") }

  /// The call with these words after all others.
  package func adding(_ more: String...) -> Call { Call(program, words + more) }

  /// The call with one word replaced; nil where there is no such word, or nothing to take its place.
  package func with(_ replacement: String?, insteadOf word: String) -> Call? {
    guard let replacement, let index = words.firstIndex(of: word) else { return nil }
    var words = words
    words[index] = replacement
    return Call(program, words)
  }
}
