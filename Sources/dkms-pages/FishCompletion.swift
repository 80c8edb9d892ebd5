// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand
internal import DKMSModel

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
