// SPDX-License-Identifier: GPL-2.0-or-later

/// Variables while plain text is read: bytes, as bash has them; a variable is an array, perhaps with gaps.
struct PlainValues {
  private var values: [String: [Int: [UInt8]]]

  init(environment: [String: String]) {
    values = environment.mapValues { [0: Array($0.utf8)] }
  }

  /// An element; empty where the variable has none of that index.
  ///
  /// - Throws: `NotPlain` for a variable that nobody set: bash may have one of that name.
  func value(of name: String, _ index: Int) throws(NotPlain) -> [UInt8] {
    // Bash sets most of these itself, whatever the caller's value is.
    if Self.isReserved(name), !["HOME", "PATH"].contains(name) { throw NotPlain() }
    guard let elements = values[name] else { throw NotPlain() }
    return elements[index] ?? []
  }

  func elements(of name: String) -> [(index: Int, value: [UInt8])] {
    (values[name] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  mutating func set(
    _ name: String, _ index: Int, to value: [UInt8], isAddition: Bool
  ) throws(NotPlain) {
    guard !Self.isReserved(name) else { throw NotPlain() }
    if isAddition {
      values[name, default: [:]][index, default: []] += value
    } else {
      values[name, default: [:]][index] = value
    }
  }

  mutating func setArray(_ name: String, to elements: [[UInt8]], isAddition: Bool) throws(NotPlain) {
    guard !Self.isReserved(name) else { throw NotPlain() }
    if !isAddition { values[name] = [:] }
    let start = (values[name]?.keys.max() ?? -1) + 1
    values[name, default: [:]].merge(zip(start..., elements)) { $1 }
  }

  /// Whether bash, or the script that reads files in it, has a use of its own for the variable.
  private static func isReserved(_ name: String) -> Bool {
    reserved.contains(name) || reservedBeginnings.contains(where: name.hasPrefix)
  }

  private static let reserved: Set<String> = [
    "_", "COLUMNS", "DIRSTACK", "OLDPWD", "EUID", "FUNCNAME", "GLOBIGNORE", "GLOBSORT", "GROUPS", "HOME",
    "IFS",
    "LINENO",
    "LINES", "PATH", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PWD", "RANDOM", "SECONDS", "SHELLOPTS",
    "SHLVL",
    "SRANDOM", "TMOUT", "UID",
  ]
  private static let reservedBeginnings = ["BASH", "COMP_", "EPOCH", "HIST", "LANG", "LC_", "OPT", "__dkms"]
}
