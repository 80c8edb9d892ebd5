// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
package import JSON
internal import Synchronization
internal import SystemPackage

/// A JSON Schema, as far as the installed ones use the language: a keyword that this does not know is a fault.
package struct JSONSchema {
  private let file: JSON
  private let directory: FilePath
  private let name: String

  /// Schemas that were read, by their names.
  private static let known = Mutex<[String: JSON]>([:])

  /// The members of a schema that only people read.
  private static let remarks: Set = ["$schema", "$defs", "title", "description"]

  /// Reads one that is installed, by its name.
  package init(_ name: String) throws {
    directory = TestParts.repository.appending("packaging").appending("schemas")
    let path = directory.appending("\(name).json")
    file = try Self.known.withLock { known in
      if let file = known[name] { return file }
      let file = try JSONParser.parse(Files.read(path, limit: 1 << 20))
      known[name] = file
      return file
    }
    self.name = name
  }

  /// What a text breaks; nothing where it fits.
  package func faults(in text: String) throws -> [String] {
    faults(in: try JSONParser.parse(Array(text.utf8)))
  }

  /// What a document breaks; a member that is not described counts, too.
  package func faults(in document: JSON) -> [String] { faults(in: document, by: file, at: name) }

  /// What a value breaks of a definition that is part of the schema.
  package func faults(in value: JSON, as definition: String) -> [String] {
    faults(in: value, by: .object([.init("$ref", .string("#/$defs/\(definition)"))]), at: definition)
  }

  /// The members that it describes anywhere.
  package var memberNames: [String] { Self.memberNames(in: file) }

  private static func memberNames(in rules: JSON) -> [String] {
    switch rules {
    case .object(let rules):
      rules.flatMap { rule -> [String] in
        guard rule.name == "properties", case .object(let members) = rule.value else {
          return memberNames(in: rule.value)
        }
        return members.flatMap { [$0.name] + memberNames(in: $0.value) }
      }
    case .array(let values): values.flatMap(memberNames)
    default: []
    }
  }

  private func faults(in value: JSON, by rules: JSON, at place: String) -> [String] {
    guard case .object(let rules) = rules else { return ["\(place): the schema is no object"] }
    return rules.flatMap { rule in
      Self.remarks.contains(rule.name) ? [] : faults(in: value, rule, beside: .object(rules), at: place)
    }
  }

  private func faults(
    in value: JSON, _ rule: JSON.Member, beside rules: JSON, at place: String
  ) -> [String] {
    // Made only where it is needed: a value may be large.
    let broken = { ["\(place): \(rule.name): \(value.text.prefix(200))"] }
    switch rule.name {
    case "$ref": return referred(rule.value, value, place)
    case "type": return rule.value.elements.contains(.string(value.typeName)) ? [] : broken()
    case "const": return value == rule.value ? [] : broken()
    case "enum": return rule.value.elements.contains(value) ? [] : broken()
    case "pattern":
      guard case .string(let text) = value, case .string(let pattern) = rule.value else { return [] }
      return (try? Regex(pattern).firstMatch(in: text)) == nil ? broken() : []
    case "anyOf":
      let answers = rule.value.elements.map { faults(in: value, by: $0, at: place) }
      return answers.contains([]) ? [] : broken() + (answers.min { $0.count < $1.count } ?? [])
    case "items":
      guard case .array(let elements) = value else { return [] }
      return elements.enumerated().flatMap { faults(in: $1, by: rule.value, at: "\(place)[\($0)]") }
    case "minProperties", "maxProperties":
      guard case .object(let members) = value, case .number(let limit) = rule.value else { return [] }
      return (rule.name == "minProperties" ? members.count >= limit : members.count <= limit) ? [] : broken()
    case "required":
      guard case .object = value else { return [] }
      return rule.value.elements.compactMap { name in
        guard case .string(let name) = name, value[name] == nil else { return nil }
        return "\(place).\(name): it is missing"
      }
    case "properties":
      guard case .object(let members) = value else { return [] }
      return members.flatMap { member in
        rule.value[member.name].map { faults(in: member.value, by: $0, at: "\(place).\(member.name)") }
          ?? ["\(place).\(member.name): it is not described"]
      }
    case "additionalProperties":
      guard case .object(let members) = value else { return [] }
      return members.flatMap { faults(in: $0.value, by: rule.value, at: "\(place)[\"\($0.name)\"]") }
    default: return ["\(place): the schema says \(rule.name), which is not known here"]
    }
  }

  /// `#/$defs/NAME`, or that behind the name of another file.
  private func referred(_ reference: JSON, _ value: JSON, _ place: String) -> [String] {
    guard case .string(let reference) = reference else { return ["\(place): $ref is no text"] }
    let parts = reference.split(separator: "#/$defs/", omittingEmptySubsequences: false).map(String.init)
    do {
      let schema = parts[0].isEmpty ? self : try JSONSchema(parts[0].replacing(".json", with: ""))
      guard let rules = schema.file["$defs"]?[parts[1]] else { return ["\(place): no \(reference)"] }
      return schema.faults(in: value, by: rules, at: place)
    } catch {
      return ["\(place): \(reference): \(error)"]
    }
  }
}

extension JSON {
  /// The values of a list; else the value itself, as `type` may have it.
  fileprivate var elements: [JSON] { if case .array(let values) = self { values } else { [self] } }

  fileprivate var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .number: "integer"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
