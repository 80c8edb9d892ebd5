// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand

/// What bash has to know of actions and options.
enum BashCompletion {
  static var lines: [String] {
    list("_dkms_actions", CompletionTables.actions) + list("_dkms_valued", CompletionTables.valued)
      + [""] + choices + [""] + values + [""] + options
  }

  private static func list(_ name: String, _ words: [String]) -> [String] {
    ["\(name)=("] + ([""] + words).wrapped(indent: " ").map { " \($0)" } + [")"]
  }

  private static var choices: [String] {
    [
      "# What the word beside the action, and the value of -k, may be.", "_dkms_choose() {",
      "  case $action in",
    ]
      + CompletionTables.choices.map { choice in
        "    \(choice.actions.joined(separator: " | "))) operand=\(choice.operand) kernels=\(choice.kernels) ;;"
      } + ["    *) operand=available kernels=present ;;", "  esac", "}"]
  }

  private static var values: [String] {
    ["# Offers values of an option.", "_dkms_offer_value() {", "  case $1 in"]
      + CompletionTables.options.compactMap { option in
        guard let offer = option.value.flatMap({ offer($0.kind) }) else { return nil }
        return "    \(option.names.joined(separator: " | "))) \(offer) ;;"
      } + ["  esac", "}"]
  }

  private static func offer(_ kind: Option.Value.Kind) -> String? {
    switch kind {
    case .module: "_dkms_offer_names"
    case .version: "_dkms_offer_versions"
    case .kernel: "_dkms_offer_kernels"
    case .template: "_dkms_offer_template_kernels"
    case .architecture: "_dkms_offer_architectures"
    case .file: "compopt -o default"
    case .directory: "compopt -o dirnames"
    case .number, .assignment: nil
    }
  }

  private static var options: [String] {
    let groups = CompletionTables.groups.flatMap { group -> [String] in
      let condition = group.actions.map { ["_dkms_does"] + $0 + ["&&"] } ?? []
      let words = condition + ["_dkms_offer"] + group.options.flatMap(\.names)
      return words.wrapped(indent: "    ", continuation: " \\").map { "  \($0)" }
    }
    return ["# Offers the options that fit the action.", "_dkms_offer_options() {"] + groups
      + ["  return 0", "}"]
  }
}
