// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

/// What is asked of a root's `etc/pacman.conf`.
struct PacmanConfiguration {
  /// The directory of the local database, below the root.
  let databasePath: FilePath

  /// Reads the configuration; one that is absent or unreadable says nothing.
  init(root: FilePath) {
    let text = (try? DatabaseFile(path: root.appending("etc/pacman.conf").string))?.text ?? ""
    let path = FilePath(Self.option("DBPath", in: text) ?? "var/lib/pacman")
    databasePath = root.appending(path.components)
  }

  /// The value of the first such line of `[options]`; pacman, too, takes the first.
  static func option(_ key: String, in text: String) -> String? {
    var isInOptions = false
    for line in text.split(separator: "\n").map(\.trimmed) {
      if line.hasPrefix("[") {
        isInOptions = line == "[options]"
      } else if isInOptions, let equals = line.firstIndex(of: "="), line[..<equals].trimmed == key {
        return String(line[equals...].dropFirst().trimmed)
      }
    }
    return nil
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let head = drop(while: \.isWhitespace)
    return head.lastIndex { !$0.isWhitespace }.map { head[...$0] } ?? ""
  }
}
