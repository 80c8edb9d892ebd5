// SPDX-License-Identifier: GPL-2.0-or-later

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
      bytes = try Files.read(path, upTo: Self.readLimit)
    } catch {
      throw .unreadable(path, reason: "\(error.reason)")
    }
    try self.init(bytes, of: path)
  }

  /// No record is larger by far.
  private static let readLimit = 64 << 20

  /// Reads what a file of this name holds.
  ///
  /// - Throws: `JournalError`.
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
