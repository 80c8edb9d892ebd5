// SPDX-License-Identifier: GPL-2.0-or-later

/// What `dkms --help` prints.
enum Usage {
  static var text: String {
    """
    usage: dkms ACTION [MODULE/VERSION | DIRECTORY | TARBALL] [OPTION...]

    actions:
    \(table(Action.allCases.map { ($0.rawValue, $0.entry.summary) }, width: 17))

    options:
    \(table(Option.table.filter { !$0.isDeprecated }.map { (heading($0), $0.helpLine) }, width: 36))

    \(deprecated) are accepted and have no effect.
    """
  }

  private static func table(_ rows: [(String, String)], width: Int) -> String {
    rows.map { left, right in
      "  \(left)\(String(repeating: " ", count: max(1, width - left.count)))\(right)"
    }.joined(separator: "\n")
  }

  private static func heading(_ option: Option) -> String {
    option.names.joined(separator: ", ") + (option.value.map { " \($0.name)" } ?? "")
  }

  private static var deprecated: String {
    let names = Option.table.filter(\.isDeprecated).flatMap(\.names)
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }
}
