// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand

/// What the manual page says of actions and options, in mdoc.
enum ManualPage {
  static var actions: [String] {
    Action.allCases.flatMap { [".It Cm \($0.rawValue)"] + Markup($0.entry.manual).mdoc }
  }

  static var options: [String] {
    Option.table.filter { !$0.isDeprecated }.flatMap { option in
      [".It \(option.names.map { heading($0, option.value) }.joined(separator: " , "))"]
        + Markup(option.manual).mdoc + (option.isRepeatable ? ["May be repeated."] : [])
    } + [".El", ".Pp"] + deprecated
  }

  private static var deprecated: [String] {
    let names = Option.table.filter(\.isDeprecated).flatMap(\.names)
    return Markup(
      names.enumerated().map { index, name in
        let end = index + 2 < names.count ? "," : index + 2 == names.count ? " and" : ""
        return "`\(name)`\(end)"
      }.joined(separator: " ") + " are accepted with a note and have no effect."
    ).mdoc
  }

  private static func heading(_ name: String, _ value: Option.Value?) -> String {
    let flag = "Fl \(name.dropFirst())"
    guard let value else { return flag }
    let parts = value.name.split(separator: "[")
    let arguments = parts[0].split(separator: "=").map { "Ar \($0.lowercased())" }.joined(
      separator: " Ns = Ns ")
    guard parts.count == 2 else { return "\(flag) \(arguments)" }
    return "\(flag) \(arguments) Ns Oo / Ns Ar \(parts[1].filter(\.isLetter).lowercased()) Oc"
  }
}
