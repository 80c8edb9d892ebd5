// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
internal import Host
internal import JSON
package import SystemPackage

/// Records as files: an object with a digest of each of its members, so that edited records are noticed.
extension JournalRecord {
  private static let digests = "digests"

  /// The file's bytes; the same record gives the same ones anywhere.
  package var file: [UInt8] {
    guard case .object(let members) = JSON(encoding: self) else { return [] }
    let digests = members.map { JSON.Member($0.name, .string(Self.digest(of: $0.value))) }
    let all = (members + [.init(Self.digests, .object(digests))])
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return Array("\(JSON.object(all).text)\n".utf8)
  }

  /// Reads a file made by `file`, or, if it has another schema, the members that every schema has.
  ///
  /// - Throws: `JournalError`, also for one that was cut short, and for one of this schema that was edited, with the
  ///   place.
  package init(reading path: FilePath) throws(JournalError) {
    let bytes: [UInt8]
    do {
      bytes = try Files.read(path, limit: Self.readLimit)
    } catch {
      throw .unreadable(path, reason: "\(error.reason)")
    }
    try self.init(bytes, of: path)
  }

  /// No record is larger by far; in bytes.
  package static let readLimit = 64 << 20

  /// Reads what a file of this name holds.
  ///
  /// - Throws: `JournalError` where it was cut short or edited, or is no record.
  package init(_ bytes: [UInt8], of path: FilePath) throws(JournalError) {
    do throws(JSONProblem) {
      let json = try JSONParser.parse(bytes)
      // Other schemas may protect their records in another way.
      if try json.schema == Self.schema { try Self.check(json, bytes) }
      self = try json.decode()
    } catch {
      throw .damaged("\(path)", error)
    }
  }

  private static func check(_ json: JSON, _ bytes: [UInt8]) throws(JSONProblem) {
    guard case .object(let members) = json, case .object(let digests)? = json[Self.digests] else {
      throw JSONProblem(place: "1:1", text: "this is not a record: it has no digests")
    }
    for digest in digests where json[digest.name] == nil {
      throw JSONProblem(place: digest.name, text: "it was taken out after the record was written")
    }
    for member in members where member.name != Self.digests {
      guard json[Self.digests]?[member.name] == .string(digest(of: member.value)) else {
        throw JSONProblem(
          place: "\(line(of: member.name, in: bytes)): \(member.name)",
          text: "it was changed after the record was written")
      }
    }
  }

  private static func digest(of value: JSON) -> String { Files.digest(of: Array(value.text.utf8)) }

  /// The line, counted from 1, on which a member begins, as records are laid out.
  private static func line(of member: String, in bytes: [UInt8]) -> Int {
    let start = Array("  \"\(member)\":".utf8)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return (lines.firstIndex { $0.starts(with: start) } ?? 0) + 1
  }
}

extension JSON {
  fileprivate var schema: Int {
    get throws(JSONProblem) {
      guard case .number(let number)? = self["schema"] else {
        throw JSONProblem(place: "schema", text: "this is no record: a number is expected here")
      }
      return number
    }
  }
}

/// A line that pacman handed to a helper, byte for byte.
///
/// In a record it is a string, or `{"base64": …}` where it is not UTF-8.
package struct TargetLine: Codable, Hashable {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = Array(text.utf8) }

  /// What it names, if that concerns this suite.
  package var target: HookTarget? { HookTarget(line: text) }

  /// The line for people; what is not UTF-8 is replaced.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  private enum CodingKeys: String, CodingKey { case base64 }

  /// Reads a line as a record has it.
  ///
  /// - Throws: `DecodingError` where it is neither a string nor base64.
  package init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      bytes = Array(text.utf8)
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard let bytes = Base64.bytes(of: try container.decode(String.self, forKey: .base64)) else {
      throw DecodingError.dataCorruptedError(
        forKey: .base64, in: container, debugDescription: "this is not base64")
    }
    self.bytes = bytes
  }

  /// Writes the line as a record has it.
  ///
  /// - Throws: What the encoder throws.
  package func encode(to encoder: any Encoder) throws {
    if let text = String(validating: bytes, as: UTF8.self) {
      var container = encoder.singleValueContainer()
      try container.encode(text)
    } else {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(Base64.text(of: bytes), forKey: .base64)
    }
  }
}

/// Bytes as text, by RFC 4648, section 4.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  package static func text(of bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[start + $1]) : 0) }
      let digits = [18, 12, 6, 0].map { alphabet[bits >> $0 & 63] }
      text += digits.prefix(group.count + 1) + Array(repeating: padding, count: 3 - group.count)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes; nil where the text is anything that `text(of:)` does not write.
  package static func bytes(of text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != padding }.compactMap(alphabet.firstIndex(of:))
    var bytes: [UInt8] = []
    var bits = 0
    for (index, digit) in digits.enumerated() {
      bits = (bits << 6 | digit) & 0xFFFF
      if index % 4 != 0 { bytes.append(UInt8(bits >> (6 - 2 * (index % 4)) & 0xFF)) }
    }
    return self.text(of: bytes) == text ? bytes : nil
  }
}
