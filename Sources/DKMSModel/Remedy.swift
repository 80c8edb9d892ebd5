// SPDX-License-Identifier: GPL-2.0-or-later

/// What ends a problem: a command, what to do before it or instead of it, or both.
public struct Remedy: Codable, Hashable, Sendable {
  /// What a shell can be given as it is.
  public let command: String?
  /// What a person has to know or do: before the command, or instead of it.
  public let advice: String?

  /// Tells the command from the words before it, which end with a colon.
  public init(_ words: String) {
    let starts = [words.startIndex] + words.colons.map { words.index($0, offsetBy: 2) }
    let start = starts.first { Self.isCommand(words[$0...]) }
    command = start.map { String(words[$0...]) }
    let advice = start.map { words[..<$0] } ?? words[...]
    self.advice = advice.isEmpty ? nil : String(start == nil ? advice : advice.dropLast(2))
  }

  private static func isCommand(_ words: Substring) -> Bool {
    programs.contains(String(words.prefix { $0 != " " }))
  }

  /// Both, for people.
  public var words: String { [advice, command].compactMap { $0 }.joined(separator: ": ") }

  /// The programs that remedies call.
  public static let programs: Set = [
    "alpm-dkms", "chmod", "chown", "cp", "depmod", "dkms", "mkdir", "mokutil", "mv", "pacman", "rm", "rmdir",
    "sbctl", "sudo", "touch",
  ]
}

extension String {
  /// Where each `: ` begins in the text.
  fileprivate var colons: [Index] {
    indices.filter { self[$0] == ":" && self[index(after: $0)...].hasPrefix(" ") }
  }

  /// The word, quoted for a shell.
  public var quotedForShell: String {
    let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%".utf8
    let isPlain = !isEmpty && utf8.allSatisfy { $0 > 0x7F || plain.contains($0) }
    return isPlain ? self : "'\(replacing("'", with: "'\\''"))'"
  }
}
