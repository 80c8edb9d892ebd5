// SPDX-License-Identifier: GPL-2.0-or-later

/// Reads JSON text strictly: whole numbers only, no name twice in an object, nothing after the value.
public struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// How deep values may lie in each other.
  public static let depthLimit = 64

  /// Reads a value.
  ///
  /// - Throws: `JSONProblem`, with line and column.
  public static func parse(_ bytes: [UInt8]) throws(JSONProblem) -> JSON {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.position == bytes.count else { throw parser.problem("something follows the value") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  // MARK: Values

  private mutating func value() throws(JSONProblem) -> JSON {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONProblem) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONProblem) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw problem("the text ends where a value is expected")
    case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte): return try number()
    default: throw problem("a value is expected here")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONProblem) -> JSON
  ) throws(JSONProblem) -> JSON {
    guard depth < Self.depthLimit else { throw problem("values lie deeper in each other than is allowed") }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONProblem) -> JSON {
    var members: [JSON.Member] = []
    var known: Set<[UInt8]> = []
    if skip(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      let start = position
      guard peek == UInt8(ascii: "\"") else { throw problem("the name of a member is expected here") }
      let name = try string()
      guard known.insert(Array(name.utf8)).inserted else {
        position = start
        throw problem("the object has two members '\(name)'")
      }
      try expect(UInt8(ascii: ":"), "a colon")
      members.append(.init(name, try value()))
      if skip(UInt8(ascii: ",")) { continue }
      try expect(UInt8(ascii: "}"), "a comma or the end of the object")
      return .object(members)
    }
  }

  private mutating func array() throws(JSONProblem) -> JSON {
    var values: [JSON] = []
    if skip(UInt8(ascii: "]")) { return .array([]) }
    while true {
      values.append(try value())
      if skip(UInt8(ascii: ",")) { continue }
      try expect(UInt8(ascii: "]"), "a comma or the end of the array")
      return .array(values)
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSONProblem) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw problem("a value is expected here") }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(JSONProblem) -> JSON {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    let digits = position
    while let byte = peek, Self.digits.contains(byte) { position += 1 }
    let isPlain = position - digits == 1 || position > digits && bytes[digits] != UInt8(ascii: "0")
    let isWhole = ![UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(peek ?? 0)
    guard isPlain, isWhole, let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      position = start
      throw problem("a whole number of 64 bits is expected here")
    }
    return .number(number)
  }

  // MARK: Text

  private mutating func string() throws(JSONProblem) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          position = start
          throw problem("the text is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
      case ..<0x20: throw problem("there is an unescaped control character in the text")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw problem("the text has no end")
  }

  private mutating func escape() throws(JSONProblem) -> Unicode.Scalar {
    let start = position
    position += 1
    let escaped = peek
    position += 1
    switch escaped {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): if let scalar = unicodeScalar() { return scalar }
    default: break
    }
    position = start
    throw problem("JSON has no such escape")
  }

  private mutating func unicodeScalar() -> Unicode.Scalar? {
    guard let first = hexadecimals() else { return nil }
    guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
    guard bytes[position...].starts(with: #"\u"#.utf8) else { return nil }
    position += 2
    guard let second = hexadecimals(), (0xDC00...0xDFFF).contains(second) else { return nil }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private mutating func hexadecimals() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    let digits = bytes[position..<position + 4]
    position += 4
    return digits.contains(UInt8(ascii: "+"))
      ? nil : UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  // MARK: Pieces

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    skipSpace()
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ byte: UInt8, _ name: String) throws(JSONProblem) {
    guard skip(byte) else { throw problem("\(name) is expected here") }
  }

  private func problem(_ text: String) -> JSONProblem {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONProblem(place: "\(line):\(before.count - start + 1)", text: text)
  }
}
