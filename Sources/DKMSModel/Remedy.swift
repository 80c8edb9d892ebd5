// SPDX-License-Identifier: GPL-2.0-or-later

/// What fixes something: a command, what to do before it or instead of it, or both.
public struct Remedy: Codable, Hashable, Sendable {
  /// What a shell can be given as it is.
  public let command: String?
  /// What a person has to do: before the command, or instead of it.
  public let advice: String?

  /// The programs that remedies call.
  private static let programs: Set = [
    "alpm-dkms", "chmod", "chown", "cp", "depmod", "dkms", "mkdir", "mv", "pacman", "rm", "touch",
  ]

  /// Tells the command in a remedy from the words around it, which end with a colon where it follows.
  public init(_ words: String) {
    let beginnings = words.indices.filter { index in
      index == words.startIndex || words[..<index].hasSuffix(": ")
    }
    guard let start = beginnings.first(where: { Self.isCommand(words[$0...]) }) else {
      (command, advice) = (nil, words)
      return
    }
    command = String(words[start...])
    advice = start == words.startIndex ? nil : String(words[..<start].dropLast(2))
  }

  private static func isCommand(_ words: Substring) -> Bool {
    programs.contains(String(words.prefix { $0 != " " }))
      && ![", or", " when ", " (after "].contains { words.contains($0) }
  }

  /// Both, for people.
  public var words: String { [advice, command].compactMap { $0 }.joined(separator: ": ") }
}
