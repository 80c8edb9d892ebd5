// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What in a text looks like a secret, whoever wrote it there: found by its shape alone.
///
/// Left alone is what a developer needs and what has a shape of its own: versions, kernel releases, digests of this
/// suite (16 hexadecimal digits) and srcversion (at most 24 upper-case ones).
struct SecretShapes {
  private let text: [UInt8]
  /// What is taken out, and what stands in its place.
  private var finds: [(range: Range<Int>, replacement: String)] = []
  /// Where the last of those ends that the finder at hand has taken; nothing is looked at twice, so that no text takes
  /// longer than its length explains.
  private var taken = 0

  /// What stands in the place of a secret.
  static let replacement = "REMOVED"

  /// Looks at a text.
  init(in text: String) {
    self.text = Array(text.utf8)
    findUserInformation()
    findHeaders()
    findValues()
    findTokens()
    findPairs()
    findHomes()
  }

  /// The text without them.
  var redacted: String {
    var result: [UInt8] = []
    var end = 0
    for (range, replacement) in merged {
      result += text[end..<range.lowerBound]
      result += Array(replacement.utf8)
      end = range.upperBound
    }
    return String(decoding: result + text[end...], as: UTF8.self)
  }

  /// The secrets themselves, to be looked for elsewhere; without those that are too short to be found safely.
  var secrets: Set<String> {
    let values = finds.filter { $0.replacement == Self.replacement }.flatMap { find in
      let value = String(decoding: text[find.range], as: UTF8.self).trimmed("\"'")
      // The password of `user:password` may stand alone elsewhere.
      return [value] + value.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)
    }
    return Set(values.filter { $0.utf8.count >= 4 && !Self.harmless.contains($0.asciiLowercased) })
  }

  private static let harmless: Set<String> = ["true", "false", "none", "null", "removed"]

  private var merged: [(range: Range<Int>, replacement: String)] {
    var merged: [(range: Range<Int>, replacement: String)] = []
    for find in finds.sorted(by: {
      ($0.range.lowerBound, $1.range.count) < ($1.range.lowerBound, $0.range.count)
    })
    where !find.range.isEmpty {
      if let last = merged.last, find.range.lowerBound < last.range.upperBound {
        let end = max(last.range.upperBound, find.range.upperBound)
        merged[merged.count - 1].range = last.range.lowerBound..<end
      } else {
        merged.append(find)
      }
    }
    return merged
  }

  private mutating func take(_ range: Range<Int>) {
    finds.append((range, Self.replacement))
    taken = max(taken, range.upperBound)
  }
}

// MARK: Names and passwords in addresses

extension SecretShapes {
  /// `scheme://user:password@host`, and `user:password@host` without a scheme.
  private mutating func findUserInformation() {
    taken = 0
    for at in text.indices where text[at] == Ascii.at && at + 1 < text.count && text[at + 1].isWordPart {
      let start = start(of: at) { !$0.endsWord && $0 != Ascii.equals && $0 != Ascii.comma }
      if let scheme = text.firstIndex(of: "://", in: start..<at) {
        // What follows a host may hold an @ of its own: `https://registry:8080/@scope`.
        let authority = scheme + 3..<at
        let slash = text[authority].firstIndex { [Ascii.slash, Ascii.question, Ascii.hash].contains($0) }
        let port = slash.map { text[authority.lowerBound..<$0] }?.split(separator: Ascii.colon).dropFirst()
        let isPath = slash != nil && port?.allSatisfy { $0.allSatisfy(\.isDigit) } != false
        if !isPath { take(authority) }
      } else if let colon = text[start..<at].firstIndex(of: Ascii.colon), colon > start, colon + 1 < at {
        take(colon + 1..<at)
      }
    }
  }
}

// MARK: Headers

extension SecretShapes {
  /// `Authorization: …` and its like to the end of the line or of the quotes; `Bearer …`.
  private mutating func findHeaders() {
    for name in ["authorization:", "cookie:", "bearer"] {
      taken = 0
      for start in text.positions(ofLowercased: name) where start >= taken {
        let afterName = start + name.utf8.count
        if name == "bearer" {
          guard start == 0 || !text[start - 1].isWordPart else { continue }
          let value = end(from: afterName) { $0.isBlank || $0 == Ascii.colon || $0 == Ascii.equals }
          if value > afterName { take(value..<end(from: value) { !$0.endsWord }) }
        } else {
          let quote = start > 0 && text[start - 1].isQuote ? text[start - 1] : nil
          take(
            end(
              from: afterName, while: \.isBlank)..<end(from: afterName) { $0 != Ascii.newline && $0 != quote }
          )
        }
      }
    }
  }
}

// MARK: Values of names that say what they are

extension SecretShapes {
  /// `NAME=value`, `name: value`, `"name": "value"` and `--name value`.
  private mutating func findValues() {
    taken = 0
    for index in text.indices where index >= taken {
      switch text[index] {
      case Ascii.equals, Ascii.colon: findValue(after: index)
      case Ascii.dash where index + 1 < text.count && text[index + 1] == Ascii.dash: findArgument(at: index)
      case Ascii.dash: findCredentials(at: index)
      default: continue
      }
    }
  }

  private mutating func findValue(after separator: Int) {
    let isAssignment = text[separator] == Ascii.equals
    if !isAssignment, separator > 0, separator + 1 < text.count,
      text[separator - 1] == Ascii.colon || [Ascii.colon, Ascii.equals].contains(text[separator + 1])
    {
      return
    }
    guard let name = name(before: separator) else { return }
    let start = end(from: separator + 1, while: \.isBlank)
    let isAttached = start == separator + 1
    guard name.text.isSecret(isAssignment: isAssignment, isAttached: isAttached) else { return }
    let value =
      start..<end(ofValueAt: start, beginsLine: beginsLine(name.start), endsWithQuotes: !isAssignment)
    if isAssignment, name.text.mayNameFile, isHarmless(value, of: name.text) { return }
    take(value)
  }

  /// The words before a `=` or `:`, without quotes, an index, and what `+=` and `:=` have before the sign.
  private func name(before separator: Int) -> (text: SecretName, start: Int)? {
    var end = separator
    while end > 0, [Ascii.plus, Ascii.question, Ascii.colon, Ascii.blank, Ascii.tab].contains(text[end - 1]) {
      end -= 1
    }
    while end > 0, text[end - 1].isQuote || text[end - 1] == Ascii.backslash { end -= 1 }
    if end > 0, text[end - 1] == Ascii.closingBracket,
      let open = text[..<end].lastIndex(of: Ascii.openingBracket)
    {
      end = open
    }
    let start = start(of: end, while: \.isNamePart)
    guard start < end else { return nil }
    return (SecretName(String(decoding: text[start..<end], as: UTF8.self)), start)
  }

  /// Whether only what may precede an assignment in a listing of variables stands before it on its line.
  private func beginsLine(_ start: Int) -> Bool {
    let line = self.start(of: start) { $0 != Ascii.newline }
    let before = String(decoding: text[line..<start], as: UTF8.self).split(separator: " ")
    return before.allSatisfy { ["export", "declare", "-x", "-r", "-rx", "set", "#"].contains($0) }
  }

  /// Listings of variables quote nothing, so a value that begins its line is the rest of it.
  private func end(ofValueAt start: Int, beginsLine: Bool, endsWithQuotes: Bool = false) -> Int {
    var index = start
    while index < text.count, !text[index].endsWord || text[index].isQuote || text[index] == Ascii.backslash {
      if text[index].isQuote {
        let quote = text[index]
        let limit = min(text.count, index + Self.quoteLimit)
        guard
          let close = (index + 1..<limit).first(where: {
            text[$0] == quote && text[$0 - 1] != Ascii.backslash
          })
            ?? (index + 1..<limit).first(where: { text[$0] == quote })
        else { return end(from: index) { $0 != Ascii.newline } }
        index = close + 1
        // The end of quotes around the whole assignment.
        if index - 1 == start { return start }
        if endsWithQuotes { break }
      } else if text[index] == Ascii.backslash {
        index = min(index + 2, text.count)
      } else {
        index += 1
        if index < text.count, text[index].isQuote, !text[start].isQuote { break }
      }
    }
    return beginsLine ? end(from: index) { $0 != Ascii.newline } : index
  }

  /// No secret in quotes is longer by far.
  private static let quoteLimit = 16 << 10

  /// Whether a key is named by its file or URI, or an option of a kernel has one of its three values.
  private func isHarmless(_ range: Range<Int>, of name: SecretName) -> Bool {
    let value = String(decoding: text[range], as: UTF8.self).trimmed("\"'")
    if name.isKernelOption { return ["y", "n", "m"].contains(value) || value.isFileOfKey }
    return value.hasPrefix("/") || value.hasPrefix("$") || value.hasPrefix("pkcs11:") || value.isFileOfKey
  }

  private mutating func findArgument(at dashes: Int) {
    guard dashes == 0 || !text[dashes - 1].isNamePart else { return }
    let nameEnd = end(from: dashes, while: \.isNamePart)
    let value = end(from: nameEnd, while: \.isBlank)
    let name = SecretName(String(decoding: text[dashes..<nameEnd], as: UTF8.self))
    guard value > nameEnd, value < text.count, text[value] != Ascii.dash,
      name.isSecret(isAssignment: true, isAttached: true)
    else { return }
    let range = value..<end(ofValueAt: value, beginsLine: false)
    if name.mayNameFile, isHarmless(range, of: name) { return }
    take(range)
  }

  /// `-u user:password`, as curl takes it.
  private mutating func findCredentials(at dash: Int) {
    guard dash == 0 || text[dash - 1].endsWord, dash + 2 < text.count,
      text[dash + 1] == UInt8(ascii: "u"), text[dash + 2].isBlank
    else { return }
    let start = end(from: dash + 2) { $0.isBlank || $0.isQuote }
    let end = end(from: start) { !$0.endsWord }
    if let colon = text[start..<end].firstIndex(of: Ascii.colon) { take(colon + 1..<end) }
  }
}

/// A name beside which a value stands.
private struct SecretName {
  private let name: String
  private let words: [String]

  init(_ name: String) {
    self.name = name.asciiLowercased
    words = self.name.split { "_-.".contains($0) }.map(String.init)
  }

  /// Whether a value of that name is a secret.
  ///
  /// Beside a colon only the plainest names count, since sentences have colons, too.
  func isSecret(isAssignment: Bool, isAttached: Bool) -> Bool {
    let plain = [
      "password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "api_key", "api-key",
      "access_key", "access-key", "private_key", "private-key",
    ]
    if plain.contains(where: name.contains) || words.last == "pin" || words.first == "pin" { return true }
    if !isAssignment { return words == ["pass"] && isAttached }
    let isPassword = ["pin", "key", "_pass", "_pwd", "_auth", "cookie"].contains(where: name.hasSuffix)
    return isPassword || ["pass", "auth"].contains(name.trimmed("-")) || words.contains("pin")
  }

  /// Whether the value may as well be the name of a file.
  var mayNameFile: Bool { words.last?.hasSuffix("key") == true || isKernelOption }

  var isKernelOption: Bool { name.hasPrefix("config_") }
}

// MARK: Tokens

extension SecretShapes {
  /// Words that nobody makes up: keys of known services, long hexadecimal numbers, UUIDs, base64.
  private mutating func findTokens() {
    var index = 0
    while index < text.count {
      guard text[index].isTokenPart else {
        index += 1
        continue
      }
      let run = index..<end(from: index, while: \.isTokenPart)
      findTokens(in: run)
      index = run.upperBound
    }
  }

  private mutating func findTokens(in run: Range<Int>) {
    guard run.count >= 12 else { return }
    var start = run.lowerBound
    var random: [Range<Int>] = []
    while start < run.upperBound {
      let segment = start..<(text[start..<run.upperBound].firstIndex(of: Ascii.slash) ?? run.upperBound)
      findServiceKey(in: segment)
      findNumbers(in: segment)
      if isRandom(segment) { random.append(segment) }
      start = segment.upperBound + 1
    }
    // Base64 has slashes of its own; those of a path lead it.
    if !random.isEmpty, text[run.lowerBound] != Ascii.slash { take(run) } else { random.forEach { take($0) } }
  }

  private static let prefixes = [
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-",
    "akia", "asia",
    "xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "sk-", "sk_live_", "rk_live_", "npm_",
    "pypi-", "hf_",
    "dckr_pat_", "aiza", "ya29", "eyj", "age-secret-key-", "dop_v1_", "shpat_", "hvs", "tskey-",
  ].map { Array($0.utf8) }

  /// A key that names its service, with what is attached to it by dots, as in a JSON web token.
  private mutating func findServiceKey(in segment: Range<Int>) {
    for start in segment where start == segment.lowerBound || !text[start - 1].isAlphanumeric {
      for prefix in Self.prefixes where segment.upperBound - start >= prefix.count + 8 {
        let rest = text[start + prefix.count..<segment.upperBound]
        guard zip(text[start...], prefix).allSatisfy({ $0.lowercased == $1 }),
          rest.contains(where: \.isDigit)
            || prefix.starts(with: Array("gh".utf8)) || prefix.starts(with: Array("gl".utf8))
        else { continue }
        return take(start..<end(from: segment.upperBound) { $0.isTokenPart || $0 == Ascii.dot })
      }
    }
  }

  /// Hexadecimal numbers that are longer than digests of this suite and srcversion, and UUIDs.
  private mutating func findNumbers(in segment: Range<Int>) {
    var start = segment.lowerBound
    while start < segment.upperBound {
      guard text[start].isHexadecimal else {
        start += 1
        continue
      }
      let number = start..<min(end(from: start, while: \.isHexadecimal), segment.upperBound)
      let letters = text[number].filter { !$0.isDigit }
      let isLowercase = !letters.isEmpty && letters.allSatisfy { $0 >= UInt8(ascii: "a") }
      if number.count >= 25 || isLowercase && number.count >= 20 && letters.count < number.count {
        take(number)
      }
      if let uuid = uuid(at: start) { take(uuid) }
      start = number.upperBound
    }
  }

  private func uuid(at start: Int) -> Range<Int>? {
    var index = start
    for (part, length) in [8, 4, 4, 4, 12].enumerated() {
      if part > 0 {
        guard index < text.count, text[index] == Ascii.dash else { return nil }
        index += 1
      }
      let end = end(from: index, while: \.isHexadecimal)
      guard end - index == length else { return nil }
      index = end
    }
    return start..<index
  }

  /// Whether letters of both cases and digits, or one case and digits if there are many, change all the time.
  private func isRandom(_ segment: Range<Int>) -> Bool {
    guard segment.count >= 20 else { return false }
    let kinds = text[segment].compactMap(\.kindOfCharacter)
    let changes = zip(kinds, kinds.dropFirst()).count { $0 != $1 }
    let needed = Set(kinds).count == 3 ? 20 : Set(kinds).count == 2 ? 32 : .max
    return kinds.count >= needed && changes * 4 >= kinds.count
  }

  /// Bytes with colons between them: fingerprints, hardware addresses, keys as openssl prints them.
  private mutating func findPairs() {
    var index = 0
    while index < text.count {
      var end = index
      var count = 0
      while end + 1 < text.count, text[end].isHexadecimal, text[end + 1].isHexadecimal,
        end + 2 == text.count || !text[end + 2].isAlphanumeric
      {
        count += 1
        end += 2
        guard end < text.count, text[end] == Ascii.colon else { break }
        end += 1
      }
      let isWord = index == 0 || !text[index - 1].isAlphanumeric
      if count >= 6, isWord { take(index..<end) }
      index = max(end, index + 1)
    }
  }

  /// Whose home a path leads through, whether that user is known here or not.
  private mutating func findHomes() {
    for parent in ["/home/", "/Users/"] {
      for start in text.positions(of: parent) {
        let name = start + parent.utf8.count
        finds.append((name..<end(from: name, while: \.isNamePart), "USER"))
      }
    }
  }
}

// MARK: Bytes

extension SecretShapes {
  private static let reach = 256

  /// Where the run of such bytes that begins here ends.
  private func end(from start: Int, while isMember: (UInt8) -> Bool) -> Int {
    var index = start
    while index < text.count, isMember(text[index]) { index += 1 }
    return index
  }

  /// Where the run of such bytes that ends here begins; it is followed back no further than any word or line of
  /// use reaches.
  private func start(of end: Int, while isMember: (UInt8) -> Bool) -> Int {
    var index = end
    while index > 0, end - index < Self.reach, isMember(text[index - 1]) { index -= 1 }
    return index
  }
}

private enum Ascii {
  static let (tab, newline, blank) = (UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: " "))
  static let (at, colon, equals, comma) = (
    UInt8(ascii: "@"), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: ",")
  )
  static let (slash, question, hash) = (UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"))
  static let (dash, dot, plus, backslash) = (
    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "\\")
  )
  static let (openingBracket, closingBracket) = (UInt8(ascii: "["), UInt8(ascii: "]"))
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  fileprivate var isUppercase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
  fileprivate var isLowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
  fileprivate var isAlphanumeric: Bool { isDigit || isUppercase || isLowercase }
  fileprivate var isWordPart: Bool { isAlphanumeric || self == UInt8(ascii: "_") || self >= 0x80 }
  fileprivate var lowercased: UInt8 { isUppercase ? self | 0x20 : self }
  fileprivate var isHexadecimal: Bool {
    isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(lowercased)
  }
  fileprivate var isBlank: Bool { self == Ascii.blank || self == Ascii.tab }
  fileprivate var isQuote: Bool { self == UInt8(ascii: "\"") || self == UInt8(ascii: "'") }
  fileprivate var endsWord: Bool { self <= Ascii.blank || isQuote || self == UInt8(ascii: "`") }
  fileprivate var isNamePart: Bool { isWordPart || self == Ascii.dash || self == Ascii.dot }
  fileprivate var isTokenPart: Bool {
    isAlphanumeric || [Ascii.slash, Ascii.plus, Ascii.equals, Ascii.dash, UInt8(ascii: "_")].contains(self)
  }

  /// Which of the three kinds of characters it is that tokens are made of; nil for what separates words.
  fileprivate var kindOfCharacter: Int? { isDigit ? 0 : isUppercase ? 1 : isLowercase ? 2 : nil }
}

extension [UInt8] {
  fileprivate func positions(of text: String) -> [Int] { positions(of: Array(text.utf8)) { $0 } }

  fileprivate func positions(ofLowercased text: String) -> [Int] {
    positions(of: Array(text.utf8), \.lowercased)
  }

  private func positions(of sought: [UInt8], _ transform: (UInt8) -> UInt8) -> [Int] {
    guard count >= sought.count else { return [] }
    return (0...count - sought.count).filter { start in
      transform(self[start]) == sought[0]
        && sought.indices.allSatisfy { transform(self[start + $0]) == sought[$0] }
    }
  }

  fileprivate func firstIndex(of text: String, in range: Range<Int>) -> Int? {
    let sought = Array(text.utf8)
    guard range.count >= sought.count else { return nil }
    return (range.lowerBound...range.upperBound - sought.count).first {
      self[$0..<$0 + sought.count].elementsEqual(sought)
    }
  }
}

extension String {
  fileprivate var asciiLowercased: String { String(decoding: utf8.map(\.lowercased), as: UTF8.self) }

  fileprivate func trimmed(_ characters: String) -> String {
    let bytes = Array(characters.utf8)
    let kept = Array(utf8).drop(while: bytes.contains).reversed().drop(while: bytes.contains).reversed()
    return String(decoding: Array(kept), as: UTF8.self)
  }

  fileprivate var isFileOfKey: Bool {
    [".pem", ".key", ".der", ".pub", ".crt", ".cer", ".priv", ".x509"].contains(where: hasSuffix)
  }
}
