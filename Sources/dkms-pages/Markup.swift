// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand

/// Sentences of the tables: words in backquotes are options, actions, paths or literal text; an empty line
/// separates paragraphs, and lines that begin with four blanks are shown as they are.
struct Markup {
  private let lines: [String]

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The same for a manual page: each sentence and each macro begins a line.
  var mdoc: [String] {
    var mdoc: [String] = []
    var words: [Substring] = []
    var isDisplay = false
    for line in lines + [""] {
      if line.hasPrefix("    ") {
        if !isDisplay { mdoc.append(".Bd -literal -offset indent") }
        isDisplay = true
        mdoc.append(String(line.dropFirst(4)))
      } else if line.isEmpty {
        if isDisplay { mdoc += [".Ed", ".Pp"] }
        isDisplay = false
        mdoc += Self.paragraph(words)
        words = []
      } else {
        words += Self.words(of: line)
      }
    }
    return mdoc
  }

  /// Parts at blanks, but not those within backquotes.
  private static func words(of line: String) -> [Substring] {
    var isQuoted = false
    return line.split { character in
      if character == "`" { isQuoted.toggle() }
      return character == " " && !isQuoted
    }
  }

  private static func paragraph(_ words: [Substring]) -> [String] {
    var lines: [String] = []
    var text: [String] = []
    for word in words {
      guard word.hasPrefix("`"), let end = word.dropFirst().firstIndex(of: "`") else {
        text.append(String(word))
        if word.hasSuffix(".") || word.hasSuffix(":") {
          lines += text.wrapped(indent: "")
          text = []
        }
        continue
      }
      lines += text.wrapped(indent: "")
      text = []
      let punctuation = word[word.index(after: end)...].map { " \($0)" }.joined()
      lines.append(".\(macro(word[word.index(after: word.startIndex)..<end]))\(punctuation)")
    }
    return lines + text.wrapped(indent: "")
  }

  private static func macro(_ word: Substring) -> String {
    if word.hasPrefix("-") { return "Fl \(word.dropFirst())" }
    if Action(rawValue: String(word)) != nil { return "Cm \(word)" }
    if !word.contains(" "), word.contains("/") || word.contains(".") { return "Pa \(path(word))" }
    return "Ql \(word)"
  }

  /// A path, in which words of capital letters stand for something.
  private static func path(_ word: Substring) -> String {
    var parts: [String] = []
    for character in word {
      let isCapital = character.isUppercase
      if let last = parts.last, last.first?.isUppercase == isCapital {
        parts[parts.count - 1].append(character)
      } else {
        parts.append(String(character))
      }
    }
    return parts.map { $0.first?.isUppercase == true ? "Ar \($0.lowercased())" : $0 }.joined(
      separator: " Ns ")
  }
}
