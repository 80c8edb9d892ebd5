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

  /// The value as text, over several lines, indented by two blanks for each level.
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

extension JSON {
  /// A place where two values differ.
  public struct Difference: Hashable, Sendable {
    /// The way there.
    public let place: String
    /// What the one has; nil where it has nothing.
    public let left: JSON?
    /// What the other has.
    public let right: JSON?
  }

  /// Where another value differs from this one; what lies deeper in equal places is not repeated above.
  public func differences(from other: JSON) -> [Difference] { differences(from: other, at: []) }

  private func differences(from other: JSON, at path: [any CodingKey]) -> [Difference] {
    if self == other { return [] }
    switch (self, other) {
    case (.object(let left), .object(let right)):
      let names = left.map(\.name) + right.map(\.name).filter { self[$0] == nil }
      return names.flatMap { Self.differences(self[$0], other[$0], at: path + [MemberName($0)]) }
    case (.array(let left), .array(let right)):
      return (0..<max(left.count, right.count)).flatMap { index in
        Self.differences(
          index < left.count ? left[index] : nil, index < right.count ? right[index] : nil,
          at: path + [MemberName(intValue: index)])
      }
    default: return [Difference(place: path.place, left: self, right: other)]
    }
  }

  private static func differences(_ left: JSON?, _ right: JSON?, at path: [any CodingKey]) -> [Difference] {
    if let left, let right { return left.differences(from: right, at: path) }
    return left == nil && right == nil ? [] : [Difference(place: path.place, left: left, right: right)]
  }
}

/// What is wrong with JSON that was read, and where.
public struct JSONProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// `line:column`, both counted from 1, the column in bytes; or the way to a value, `facts.kernels[3]`.
  public let place: String
  /// What is wrong.
  public let text: String

  /// Describes a problem.
  public init(place: String, text: String) {
    self.place = place
    self.text = text
  }

  /// The place and what is wrong.
  public var description: String { place.isEmpty ? text : "\(place): \(text)" }
}
