// SPDX-License-Identifier: GPL-2.0-or-later

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
