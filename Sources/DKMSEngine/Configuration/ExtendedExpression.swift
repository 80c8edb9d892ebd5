// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A POSIX extended regular expression, as bash's `=~` takes it.
enum ExtendedExpression {
  /// Whether the expression is found in the text; an invalid one is found nowhere, nor is one that is too large.
  static func matches(_ pattern: String, in text: String) -> Bool {
    guard excess(of: pattern) == nil else { return false }
    var expression = regex_t()
    guard regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return false }
    defer { regfree(&expression) }
    return regexec(&expression, text, 0, nil, 0) == 0
  }

  /// How many parentheses may be open at once: the C library calls itself for each.
  static let depthLimit = 200
  /// How many characters and operators there may be, counted as often as they are repeated.
  ///
  /// The C library copies what is repeated, and repeats within repeats multiply.
  static let sizeLimit = 2000

  /// Why an expression is not handed to the C library, which takes all memory or time for it; nil if it is.
  static func excess(of pattern: String) -> String? {
    var measure = Measure()
    var rest = Array(pattern.utf8)[...]
    while let byte = rest.popFirst() {
      switch Unicode.Scalar(byte) {
      case "\\":
        let escaped = rest.popFirst().map(Unicode.Scalar.init) ?? "\\"
        if ("1"..."9").contains(escaped) { return "it refers back to what it has found" }
        measure.addCharacter()
      case "[":
        skipBracket(&rest)
        measure.addCharacter()
      case "(": measure.open()
      case ")": measure.close()
      case "+": measure.repeatLast(2)
      case "*", "?": measure.repeatLast(1)
      case "{": measure.repeatLast(times(&rest))
      default: measure.addCharacter()
      }
      if measure.depth > depthLimit { return "more than \(depthLimit) parentheses within each other" }
      if measure.isTooLarge {
        return "more than \(sizeLimit) characters, each counted as often as it is repeated"
      }
    }
    return nil
  }

  /// Skips what is left of a bracket expression, where a bracket at the beginning stands for itself.
  private static func skipBracket(_ rest: inout ArraySlice<UInt8>) {
    let closing = UInt8(ascii: "]")
    if rest.first == UInt8(ascii: "^") { rest = rest.dropFirst() }
    if rest.first == closing { rest = rest.dropFirst() }
    while let byte = rest.popFirst(), byte != closing {
      guard byte == UInt8(ascii: "["), let mark = rest.first, ":.=".utf8.contains(mark) else { continue }
      // The name of a class, as in `[[:alpha:]]`.
      rest = rest.dropFirst().drop { $0 != mark }.dropFirst(2)
    }
  }

  /// The greatest number in the braces that have been opened.
  private static func times(_ rest: inout ArraySlice<UInt8>) -> Int {
    let inside = rest.prefix { ("0"..."9").contains(Unicode.Scalar($0)) || $0 == UInt8(ascii: ",") }
    rest = rest.dropFirst(inside.count)
    if rest.first == UInt8(ascii: "}") { rest = rest.dropFirst() }
    let numbers = inside.split(separator: UInt8(ascii: ",")).map { digits in
      digits.reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), sizeLimit + 1) }
    }
    // `{3,}` is three and a repeated one.
    return max(numbers.max() ?? 1, 1) + 1
  }

  /// How deep and how large an expression is up to where it has been read.
  private struct Measure {
    /// For each open parenthesis, what lies before the last part, and that part, which an operator may repeat.
    private var levels: [(before: Int, last: Int)] = [(0, 0)]

    var depth: Int { levels.count - 1 }

    var isTooLarge: Bool { levels.reduce(0) { $0 + $1.before + $1.last } > sizeLimit }

    mutating func addCharacter() { add(1) }

    mutating func open() { levels.append((0, 0)) }

    mutating func close() {
      guard levels.count > 1, let inner = levels.popLast() else { return addCharacter() }
      add(inner.before + inner.last + 1)
    }

    mutating func repeatLast(_ times: Int) {
      let last = levels[levels.count - 1].last
      levels[levels.count - 1].last = max(last, 1) * times
    }

    private mutating func add(_ size: Int) {
      let level = levels[levels.count - 1]
      levels[levels.count - 1] = (level.before + level.last, size)
    }
  }
}
