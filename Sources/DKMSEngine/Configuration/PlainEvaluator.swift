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
