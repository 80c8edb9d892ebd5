// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand
internal import DKMSModel

/// A file that is written by hand except for some regions, which come from the tables of `dkms`.
///
/// A region stands between two lines of comment, with `>>>` and its name in the first and `<<<` in the other.
struct Page {
  /// The file, from the top directory.
  let path: String
  /// The lines of each region by its name.
  let regions: [String: [String]]

  static var all: [Page] {
    [
      Page(path: "completions/dkms.bash", regions: ["tables": BashCompletion.lines]),
      Page(path: "completions/_dkms", regions: ["tables": ZshCompletion.lines]),
      Page(path: "completions/dkms.fish", regions: ["tables": FishCompletion.lines]),
      Page(path: "man/dkms.8", regions: ["actions": ManualPage.actions, "options": ManualPage.options]),
    ]
  }

  /// The file has no such region.
  struct MissingRegion: Error, CustomStringConvertible {
    let name: String
    var description: String { "there is no region '\(name)'" }
  }

  /// The text of the file with its regions brought up to date.
  func rewritten(_ text: String) throws(MissingRegion) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (name, content) in regions {
      guard let start = lines.firstIndex(where: { $0.contains(">>> \(name)") }),
        let end = lines[start...].firstIndex(where: { $0.contains("<<<") })
      else { throw MissingRegion(name: name) }
      lines.replaceSubrange(start + 1..<end, with: content)
    }
    return lines.joined(separator: "\n")
  }
}

extension [String] {
  /// The words in lines of at most 110 characters, each but the first behind an indent.
  func wrapped(indent: String, continuation: String = "") -> [String] {
    var lines: [String] = []
    var line = ""
    for word in self {
      if !line.isEmpty, line.count + 1 + word.count + continuation.count > 110 {
        lines.append(line + continuation)
        line = indent + word
      } else {
        line += line.isEmpty ? (lines.isEmpty ? word : indent + word) : " \(word)"
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }
}

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
