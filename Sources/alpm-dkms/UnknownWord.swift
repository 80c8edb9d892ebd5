// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import DKMSModel

/// A command or option of a call that `alpm-dkms` does not have, and what it may have been meant for.
struct UnknownWord {
  private let kind: String
  private let word: String
  private let suggestion: String?
  private let words: [String]

  /// Looks for one; nil where every command and option is known.
  init?(in words: [String]) {
    self.words = words
    let commands = AlpmDKMS.configuration.subcommands
    let names = commands.map { $0._commandName }
    let operands = words.filter { !$0.hasPrefix("-") }
    guard let name = operands.first(where: { $0 != "help" }) else { return nil }
    guard let command = commands.first(where: { $0._commandName == name }) else {
      (kind, word) = ("command", name)
      suggestion = Suggestion.nearest(to: name, among: names)
      return
    }
    let options = Self.options(of: command)
    guard let option = words.first(where: { $0.hasPrefix("--") && !options.contains(Self.name(of: $0)) })
    else {
      return nil
    }
    (kind, word) = ("option", option)
    suggestion = Suggestion.option(for: option, among: options)
  }

  /// The long options that the help of a command knows, `--` itself among them.
  private static func options(of command: any ParsableCommand.Type) -> [String] {
    let isPart = { (letter: Character) in letter == "-" || letter.isLetter }
    let words = Set(AlpmDKMS.helpMessage(for: command).split { !isPart($0) }.map(String.init))
    return ["--"] + words.filter { $0.hasPrefix("--") && $0.count > 2 }
  }

  private static func name(of option: String) -> String { String(option.prefix { $0 != "=" }) }

  /// What is wrong.
  var message: String {
    "unknown \(kind) \(kind == "command" ? "'\(word)'" : word)"
      + (suggestion.map { "; did you mean \($0)?" } ?? "")
  }

  /// The call as it may have been meant, or where to read.
  var remedy: String {
    Call("alpm-dkms", words).with(suggestion, insteadOf: word)?.text ?? "for help: alpm-dkms --help"
  }
}
