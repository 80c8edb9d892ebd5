// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand

/// What zsh has to know of actions and options.
enum ZshCompletion {
  static var lines: [String] {
    names + [""] + choices + [""] + options
  }

  private static var names: [String] {
    [
      "# Fills the names of actions, each with what it does, and of options that want a value.",
      "_dkms_know() {",
    ]
      + ["  dkms_actions=("]
      + Action.allCases.map { "    \("\($0.rawValue):\($0.entry.summary)".quotedForShell)" }
      + ["  )", "  valued=("]
      + ([""] + CompletionTables.valued).wrapped(indent: " ").map { "   \($0)" } + ["  )", "}"]
  }

  private static var choices: [String] {
    ["# What the word beside the action, and the value of -k, may be."]
      + ["_dkms_choose() {", "  case $dkms_action in"]
      + CompletionTables.choices.map { choice in
        "    \(choice.actions.joined(separator: " | "))) operand=\(choice.operand) kernel_choice=\(choice.kernels) ;;"
      } + ["    *) operand=available kernel_choice=present ;;", "  esac", "}"]
  }

  private static var options: [String] {
    ["# Fills the options that fit the action.", "_dkms_find_options() {"]
      + CompletionTables.groups.flatMap { group in
        let specifications = group.options.map { "    \(specification($0))" }
        guard let actions = group.actions else { return ["  options+=("] + specifications + ["  )"] }
        return ["  _dkms_does \(actions.joined(separator: " ")) && options+=("] + specifications + ["  )"]
      } + ["}"]
  }

  /// How `_arguments` takes an option.
  private static func specification(_ option: Option) -> String {
    let names = option.names.map { name in option.value != nil && name.hasPrefix("--") ? "\(name)=" : name }
    let explanation =
      "[\(option.summary)]" + (option.value.map { ":\($0.kind.message):\(action($0.kind))" } ?? "")
    let star = option.isRepeatable ? "*" : ""
    if names.count == 1 { return "\(star)\(names[0])\(explanation)".quotedForShell }
    return (option.isRepeatable ? "\\*" : "")
      + "{\(names.joined(separator: ","))}\(explanation.quotedForShell)"
  }

  private static func action(_ kind: Option.Value.Kind) -> String {
    switch kind {
    case .module: "_dkms_names"
    case .version: "_dkms_versions"
    case .kernel: "_dkms_kernels"
    case .template: "_dkms_template_kernels"
    case .architecture: "_dkms_architectures"
    case .file: "_files"
    case .directory: "_files -/"
    case .number, .assignment: " "
    }
  }
}

extension Option.Value.Kind {
  /// What is asked for.
  fileprivate var message: String {
    switch self {
    case .template: "kernel"
    case .assignment: "NAME=VALUE"
    default: rawValue
    }
  }
}
