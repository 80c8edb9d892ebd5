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
