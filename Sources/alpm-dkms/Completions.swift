// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import DKMSModel
internal import Maintenance

extension CompletionKind {
  /// Kernels that are there.
  static var kernels: CompletionKind { .custom { _, _, _ in CompletionOffers.kernels } }

  /// Records by their numbers, and files.
  static var records: CompletionKind { .custom { _, _, _ in CompletionOffers.records } }
}

/// A completion script as the parser writes it, which offers nothing after `help`.
struct CompletionScript {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The script, with what `help` can be asked about.
  var withTopics: String {
    let names = AlpmDKMS.configuration.subcommands.map { $0._commandName }
    let topics = names.joined(separator: " ")
    if text.contains("complete -o filenames") {
      let function = "_alpm-dkms_help() {\n"
      let list = "$'\(names.joined(separator: "\\n"))'"
      return text.replacing(function, with: "\(function)    __alpm-dkms_add_completions -W \(list)\n")
    }
    let script = text.replacing("'*:subcommands:'", with: "'*:subcommands:(\(topics))'")
    guard script == text else { return script }
    return "\(text)\ncomplete -c 'alpm-dkms' -n '__fish_seen_subcommand_from help' -f -a '\(topics)'"
  }
}
