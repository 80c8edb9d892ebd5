// SPDX-License-Identifier: GPL-2.0-or-later

/// The text may mean more to bash than assignments.
struct NotPlain: Error {}

/// Reads text as bash does, as long as it only assigns values and refers to them.
struct PlainScanner {
  private let bytes: [UInt8]
  private var position = 0
  /// What was assigned before the text, and by it.
  private(set) var values: PlainValues

  /// Makes a scanner of a text without NUL bytes.
  init(_ bytes: [UInt8], values: PlainValues) {
    self.bytes = bytes
    self.values = values
  }

  // MARK: Files

  /// Takes the text for a file and makes its assignments.
  mutating func assign() throws(NotPlain) {
    skipSpace(acrossLines: true)
    while next != Self.end {
      try assignment()
      skipSpace(acrossLines: false)
      _ = skip(";")
      skipSpace(acrossLines: true)
    }
  }

  private mutating func assignment() throws(NotPlain) {
    let name = try name()
    let index = try subscriptIfAny()
    let isAddition = skip("+")
    guard skip("=") else { throw NotPlain() }
    if next == "(" {
      guard index == nil else { throw NotPlain() }
      try values.setArray(name, to: array(), isAddition: isAddition)
    } else {
      try values.set(name, index ?? 0, to: word(isElement: false), isAddition: isAddition)
    }
    guard isAtEndOfWord else { throw NotPlain() }
  }

  private mutating func array() throws(NotPlain) -> [[UInt8]] {
    position += 1
    var elements: [[UInt8]] = []
    while true {
      skipSpace(acrossLines: true)
      if skip(")") { return elements }
      guard !isAtEndOfWord else { throw NotPlain() }
      try elements.append(word(isElement: true))
    }
  }

  /// A word without its quotes and with its variables, up to what ends it.
  private mutating func word(isElement: Bool) throws(NotPlain) -> [UInt8] {
    var word: [UInt8] = []
    while !isAtEndOfWord {
      switch next {
      case ")" where isElement:
        return word
      case "'":
        position += 1
        while next != "'" { word.append(try take()) }
        position += 1
      case "\"":
        position += 1
        try quoted(into: &word)
        guard skip("\"") else { throw NotPlain() }
      case "\\":
        position += 1
        let escaped = try take()
        if escaped != UInt8(ascii: "\n") { word.append(escaped) }
      // Bash splits and globs an unquoted array element, but not the value of a variable.
      case "$" where !isElement:
        try variable(into: &word, isQuoted: false)
      case "*" where !isElement, "?" where !isElement, "[" where !isElement, "]" where !isElement:
        word.append(try take())
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "+", ".", ",", "/", ":", "@", "%", "=", "^", "#", "!",
        "\r", "\u{80}"...:
        word.append(try take())
      default:
        throw NotPlain()
      }
    }
    return word
  }

  // MARK: Values

  /// Reads the text as if it stood in double quotes, with a backslash before each quote.
  mutating func expansion() throws(NotPlain) -> [UInt8] {
    var value: [UInt8] = []
    try quoted(into: &value)
    while skip("\"") {
      // A quote behind an escaped backslash would end the text.
      guard position < 2 || bytes[position - 2] != UInt8(ascii: "\\") else { throw NotPlain() }
      value.append(UInt8(ascii: "\""))
      try quoted(into: &value)
    }
    return value
  }

  /// What is in double quotes, up to the quote that ends it or to the end of the text.
  private mutating func quoted(into word: inout [UInt8]) throws(NotPlain) {
    while next != Self.end, next != "\"" {
      switch next {
      case "`":
        throw NotPlain()
      case "$":
        try variable(into: &word, isQuoted: true)
      case "\\":
        position += 1
        let escaped = try take()
        switch Unicode.Scalar(escaped) {
        case "\n": break
        case "$", "`", "\"", "\\": word.append(escaped)
        default: word += [UInt8(ascii: "\\"), escaped]
        }
      default:
        word.append(try take())
      }
    }
  }

  private mutating func variable(into word: inout [UInt8], isQuoted: Bool) throws(NotPlain) {
    position += 1
    switch next {
    case "{":
      position += 1
      let name = try name()
      try append(values.value(of: name, subscriptIfAny() ?? 0), to: &word)
      guard skip("}") else { throw NotPlain() }
    case "a"..."z", "A"..."Z", "_":
      try append(values.value(of: name(), 0), to: &word)
    // Before one of these a dollar is just a dollar; regular expressions end with one.
    case Self.end, " ", "\t", "\n", ")", "|", "/", ".":
      word.append(UInt8(ascii: "$"))
    case "\"" where isQuoted:
      word.append(UInt8(ascii: "$"))
    default:
      throw NotPlain()
    }
  }

  private func append(_ value: [UInt8], to word: inout [UInt8]) throws(NotPlain) {
    guard word.count + value.count <= Self.wordLimit else { throw NotPlain() }
    word += value
  }

  /// How long a word may become by the values in it, in bytes; no directive has a value near that.
  private static let wordLimit = 1 << 20

  // MARK: Names

  private mutating func name() throws(NotPlain) -> String {
    let start = position
    while true {
      switch next {
      case "a"..."z", "A"..."Z", "_": position += 1
      case "0"..."9" where position > start: position += 1
      default:
        // The name goes on in the next line.
        guard !isAtContinuation else { throw NotPlain() }
        return try text(from: start)
      }
    }
  }

  /// The number in brackets that follows a name; anything but a decimal number is arithmetic.
  private mutating func subscriptIfAny() throws(NotPlain) -> Int? {
    guard skip("[") else { return nil }
    let start = position
    while ("0"..."9").contains(next) { position += 1 }
    let digits = try text(from: start)
    guard digits == "0" || !digits.hasPrefix("0"), digits.utf8.count < 10, let index = Int(digits), skip("]")
    else { throw NotPlain() }
    return index
  }

  private func text(from start: Int) throws(NotPlain) -> String {
    guard start < position else { throw NotPlain() }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  // MARK: Characters

  private var next: Unicode.Scalar {
    position < bytes.count ? Unicode.Scalar(bytes[position]) : Self.end
  }

  private static let end: Unicode.Scalar = "\0"

  private var isAtEndOfWord: Bool {
    next == " " || next == "\t" || next == "\n" || next == ";" || next == Self.end
  }

  private var isAtContinuation: Bool {
    bytes[position...].starts(with: "\\\n".utf8)
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard next == character else { return false }
    position += 1
    return true
  }

  /// Bash marks text with some of the control characters.
  private mutating func take() throws(NotPlain) -> UInt8 {
    switch next {
    case "\t", "\n", "\r", " "..."~", "\u{80}"...:
      position += 1
      return bytes[position - 1]
    default:
      throw NotPlain()
    }
  }

  /// Skips blanks, comments and ends of lines behind a backslash; others where told.
  private mutating func skipSpace(acrossLines: Bool) {
    while true {
      switch next {
      case " ", "\t": position += 1
      case "\n" where acrossLines: position += 1
      case "\\" where isAtContinuation: position += 2
      case "#": while next != "\n", next != Self.end { position += 1 }
      default: return
      }
    }
  }
}
