// SPDX-License-Identifier: GPL-2.0-or-later

/// Evaluates files that only assign values, without a shell, to what `BashEvaluator` makes of them.
enum PlainEvaluator {
  /// Evaluates files one after another and reads variables back.
  ///
  /// - Parameters:
  ///   - files: What is in the files.
  ///   - names: The variables to read.
  ///   - environment: What the files may refer to.
  /// - Returns: The values.
  /// - Throws: `NotPlain` where only bash can tell.
  static func evaluate(
    _ files: [[UInt8]], reading names: [String], environment: [String: String]
  ) throws(NotPlain) -> Variables {
    var values = PlainValues(environment: environment)
    for file in files {
      // What bash makes of a NUL byte depends on its release.
      guard !file.contains(0) else { throw NotPlain() }
      var scanner = PlainScanner(withoutCarriageReturns(file), values: values)
      try scanner.assign()
      values = scanner.values
    }
    var variables = Variables()
    for name in names {
      for (index, value) in values.elements(of: name) {
        let meaning = String(decoding: try meaning(of: value, values), as: UTF8.self)
        // The blank at the beginning of a build command means something, see `BashEvaluator`.
        let isIndented = name == "MAKE" && value.first.map(" \t\n".utf8.contains) == true
        variables[name, index] = isIndented ? " \(meaning)" : meaning
      }
    }
    return variables
  }

  /// Drops carriage returns at the ends of lines; others belong to values.
  private static func withoutCarriageReturns(_ file: [UInt8]) -> [UInt8] {
    guard file.contains(carriageReturn) else { return file }
    var kept: [UInt8] = []
    kept.reserveCapacity(file.count)
    for (index, byte) in file.enumerated() {
      let isLast = index + 1 == file.count || file[index + 1] == UInt8(ascii: "\n")
      if byte != carriageReturn || !isLast { kept.append(byte) }
    }
    return kept
  }

  /// What the second shell of the reference makes of a value.
  private static func meaning(of value: [UInt8], _ values: PlainValues) throws(NotPlain) -> [UInt8] {
    let line = value.last == carriageReturn ? value.dropLast() : value[...]
    let words = line.split { " \t\n".utf8.contains($0) }
    var scanner = PlainScanner(Array(words.joined(separator: " ".utf8)), values: values)
    return try scanner.expansion()
  }

  private static let carriageReturn = UInt8(ascii: "\r")
}

/// Variables while plain text is read: bytes, as bash has them; a variable is an array, perhaps with gaps.
struct PlainValues {
  private var values: [String: [Int: [UInt8]]]
  /// How many more bytes may be assigned: values that are made of each other double with every line.
  private var room = 64 << 20

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
    try take(value.count)
    if isAddition {
      values[name, default: [:]][index, default: []] += value
    } else {
      values[name, default: [:]][index] = value
    }
  }

  mutating func setArray(_ name: String, to elements: [[UInt8]], isAddition: Bool) throws(NotPlain) {
    guard !Self.isReserved(name) else { throw NotPlain() }
    try take(elements.reduce(0) { $0 + $1.count })
    if !isAddition { values[name] = [:] }
    let start = (values[name]?.keys.max() ?? -1) + 1
    values[name, default: [:]].merge(zip(start..., elements)) { $1 }
  }

  private mutating func take(_ count: Int) throws(NotPlain) {
    room -= count
    guard room >= 0 else { throw NotPlain() }
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
