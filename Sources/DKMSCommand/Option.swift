// SPDX-License-Identifier: GPL-2.0-or-later

/// An option of `dkms`, with all that the parser, the help, the completions and the manual page have to know of it.
package struct Option: Sendable {
  /// What follows an option.
  package struct Value: Sendable {
    /// What it stands for, which decides what completions offer.
    package enum Kind: String, Sendable {
      case module, version, kernel, architecture, number, assignment, file, directory
      /// A kernel that modules are installed for.
      case template
    }

    package let kind: Kind
    /// How help and manual page call it: `RELEASE[/ARCH]`.
    package let name: String
    /// Whether an empty value is accepted and means the default: scripts pass variables that may be empty.
    let mayBeEmpty: Bool

    static func some(_ kind: Kind, _ name: String, mayBeEmpty: Bool = false) -> Value {
      Value(kind: kind, name: name, mayBeEmpty: mayBeEmpty)
    }
  }

  /// What an option does: it changes the arguments, given its value (empty if it takes none) and its name as
  /// it was typed.
  typealias Effect =
    @Sendable (_ arguments: inout Arguments, _ value: String, _ name: String) throws(UsageError) -> Void

  /// Its spellings, each with its dashes; the short one first.
  package let names: [String]
  /// What follows it; nil of a switch.
  package let value: Value?
  /// What `--help` and completions say: half a line.
  package let summary: String
  /// What the manual page says, in the marks that `Markup` knows.
  package let manual: String
  /// The actions for which completions offer it.
  ///
  /// The other actions accept and ignore it.
  package let actions: [Action]
  /// Whether it counts each time that it is given.
  package let isRepeatable: Bool
  /// Whether it is only accepted: neither help nor completions name it.
  package let isDeprecated: Bool
  let effect: Effect

  init(
    _ names: [String], takes value: Value? = nil, for actions: [Action] = Action.allCases,
    isRepeatable: Bool = false, isDeprecated: Bool = false, _ summary: String, manual: String? = nil,
    _ effect: @escaping Effect
  ) {
    self.names = names
    self.value = value
    self.summary = summary
    self.manual = manual ?? Self.sentence(summary, for: actions)
    self.actions = actions
    self.isRepeatable = isRepeatable
    self.isDeprecated = isDeprecated
    self.effect = effect
  }

  /// The option of a name.
  package static func named(_ name: String) -> Option? { table.first { $0.names.contains(name) } }

  /// What `--help` says of it.
  var helpLine: String {
    let isOfOneAction = actions.count == 1
    let prefix = isOfOneAction ? "\(actions[0].rawValue): " : ""
    return prefix + summary + (isRepeatable ? "; may be repeated" : "")
  }

  private static func sentence(_ summary: String, for actions: [Action]) -> String {
    if actions.count == 1 { return "With `\(actions[0].rawValue)`: \(summary)." }
    return "\(summary.prefix(1).uppercased())\(summary.dropFirst())."
  }
}
