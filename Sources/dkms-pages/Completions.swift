// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand
internal import DKMSModel

/// What the completions of all shells take from the tables.
enum CompletionTables {
  static var actions: [String] { Action.allCases.map(\.rawValue) }

  static var options: [Option] { Option.table.filter { !$0.isDeprecated } }

  /// The options that want a value.
  static var valued: [String] { options.filter { $0.value != nil }.flatMap(\.names) }

  /// Options that fit the same actions, in the order of the table; nil for those that fit every action.
  static var groups: [(actions: [String]?, options: [Option])] {
    var groups: [(actions: [String]?, options: [Option])] = []
    for option in options {
      let actions =
        option.actions.count == Action.allCases.count
        ? nil : Action.allCases.filter(option.actions.contains).map(\.rawValue)
      if let index = groups.firstIndex(where: { $0.actions == actions }) {
        groups[index].options.append(option)
      } else {
        groups.append((actions, [option]))
      }
    }
    return groups
  }

  /// What the word beside the action and the value of -k may be, each with the actions for which it is so.
  ///
  /// Without an action, everything may follow.
  static var choices: [(actions: [String], operand: String, kernels: String)] {
    var choices: [(actions: [String], operand: String, kernels: String)] = []
    for action in Action.allCases {
      let (operand, kernels) = (action.entry.operand.rawValue, action.entry.kernels.rawValue)
      if let index = choices.firstIndex(where: { $0.operand == operand && $0.kernels == kernels }) {
        choices[index].actions.append(action.rawValue)
      } else {
        choices.append(([action.rawValue], operand, kernels))
      }
    }
    return choices
  }
}

extension String {
  /// The text in single quotes, as bash and zsh read them.
  var quotedForShell: String { "'\(replacing("'", with: "'\\''"))'" }
}

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

/// What fish has to know of actions and options.
enum FishCompletion {
  static var lines: [String] {
    list("__dkms_actions", CompletionTables.actions) + [""] + list("__dkms_valued", CompletionTables.valued)
      + [""] + choices + [""]
      + Action.allCases.map { action in
        "complete -c dkms -n __dkms_wants_action -a \(action.rawValue) -d \(quoted(title(action.entry.summary)))"
      } + [""] + CompletionTables.options.flatMap(completion)
  }

  private static func list(_ name: String, _ words: [String]) -> [String] {
    ["function \(name)"]
      + (["string", "join", "\\n", "--"] + words).wrapped(indent: "    ", continuation: " \\").map {
        "    \($0)"
      }
      + ["end"]
  }

  private static var choices: [String] {
    ["# What the word beside the action, and the value of -k, may be.", "function __dkms_choose"]
      + ["    switch \"$__dkms_action\""]
      + CompletionTables.choices.flatMap { choice in
        [
          "        case \(choice.actions.joined(separator: " "))",
          "            set -g __dkms_operand \(choice.operand)",
          "            set -g __dkms_kernel_choice \(choice.kernels)",
        ]
      } + [
        "        case '*'", "            set -g __dkms_operand available",
        "            set -g __dkms_kernel_choice present", "    end", "end",
      ]
  }

  private static func completion(_ option: Option) -> [String] {
    var words = ["complete", "-c", "dkms"]
    if option.actions.count < Action.allCases.count {
      let actions = Action.allCases.filter(option.actions.contains).map(\.rawValue)
      words.append("-n '__dkms_does \(actions.joined(separator: " "))'")
    }
    words += option.names.map { $0.hasPrefix("--") ? "-l \($0.dropFirst(2))" : "-s \($0.dropFirst())" }
    if let value = option.value { words += self.value(value.kind) }
    words.append("-d \(quoted(title(option.summary)))")
    return words.wrapped(indent: "    ", continuation: " \\")
  }

  private static func value(_ kind: Option.Value.Kind) -> [String] {
    switch kind {
    case .module: ["-x", "-a '(__dkms_names)'"]
    case .version: ["-x", "-a '(__dkms_versions)'"]
    case .kernel: ["-x", "-a '(__dkms_kernels)'"]
    case .template: ["-x", "-a '(__dkms_template_kernels)'"]
    case .architecture: ["-x", "-a '(__dkms_architectures)'"]
    case .file: ["-r", "-F"]
    case .directory: ["-x", "-a '(__fish_complete_directories)'"]
    case .number, .assignment: ["-x"]
    }
  }

  private static func title(_ text: String) -> String { "\(text.prefix(1).uppercased())\(text.dropFirst())" }

  private static func quoted(_ text: String) -> String {
    "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
  }
}

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
