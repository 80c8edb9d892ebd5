// SPDX-License-Identifier: GPL-2.0-or-later

/// A JSON value to print; objects keep the order of their members.
public indirect enum JSON: Hashable, Sendable {
  /// No value.
  case null
  /// True or false.
  case bool(Bool)
  /// A whole number.
  case number(Int)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSON])
  /// Named values in order.
  case object([Member])

  /// A name and its value.
  public struct Member: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSON

    /// Names a value.
    public init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }

  /// A string, or null.
  public static func string(orNull text: String?) -> JSON { text.map(JSON.string) ?? .null }

  /// The value as text, over several lines, indented by two blanks a level.
  public var text: String { text(indentedBy: "") }

  private func text(indentedBy indentation: String) -> String {
    let deeper = indentation + "  "
    let block = { (lines: [String], open: String, close: String) in
      lines.isEmpty
        ? open + close
        : "\(open)\n\(lines.map { deeper + $0 }.joined(separator: ",\n"))\n\(indentation)\(close)"
    }
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .number(let value): return "\(value)"
    case .string(let value): return Self.quoted(value)
    case .array(let values): return block(values.map { $0.text(indentedBy: deeper) }, "[", "]")
    case .object(let members):
      let lines = members.map { "\(Self.quoted($0.name)): \($0.value.text(indentedBy: deeper))" }
      return block(lines, "{", "}")
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.unicodeScalars.map(escaped).joined() + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\t": return "\\t"
    default:
      guard scalar.value < 0x20 || scalar.value == 0x7F else { return String(scalar) }
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}
