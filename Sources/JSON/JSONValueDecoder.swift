// SPDX-License-Identifier: GPL-2.0-or-later

/// Decodes one JSON value, without converting between types.
///
/// Members are found by their names, and by those that older versions gave them: as they are in the source.
struct JSONValueDecoder: Decoder, SingleValueDecodingContainer {
  private let json: JSON
  let codingPath: [any CodingKey]
  private let isFreelyNamed: Bool

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ json: JSON, at path: [any CodingKey], isFreelyNamed: Bool = false) {
    self.json = json
    codingPath = path
    self.isFreelyNamed = isFreelyNamed
  }

  /// The value as one of this type.
  func read<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let value: Any?
    switch type {
    case is Bool.Type: if case .bool(let bool) = json { value = bool } else { value = nil }
    case is String.Type: if case .string(let text) = json { value = text } else { value = nil }
    case let integer as any FixedWidthInteger.Type:
      if case .number(let number) = json { value = integer.init(exactly: number) } else { value = nil }
    case is JSON.Type: value = json
    case is Duration.Type: value = try read(DurationParts.self).duration
    default:
      let isFreelyNamed = type is any FreelyNamed.Type
      return try type.init(from: JSONValueDecoder(json, at: codingPath, isFreelyNamed: isFreelyNamed))
    }
    guard let value = value as? Value else { throw mismatch(type, "a \(type)".lowercased()) }
    return value
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    let mayBeLone = !isFreelyNamed && Key(stringValue: Key.loneValue) != nil
    var values: [String: JSON] = [:]
    if case .object(let members) = json {
      values = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    } else if !mayBeLone {
      throw mismatch([String: JSON].self, "an object")
    }
    let lone = mayBeLone && json != .object([]) ? json : nil
    return KeyedDecodingContainer(
      Members(values: values, lone: lone, codingPath: codingPath, isFreelyNamed: isFreelyNamed))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = json else { throw mismatch([JSON].self, "an array") }
    return Elements(elements: elements, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { json == .null }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try read(type) }

  private func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
    .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "\(expected) is expected here"))
  }

  private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let values: [String: JSON]
    /// What a value without a name is that is alone in its case.
    let lone: JSON?
    let codingPath: [any CodingKey]
    let isFreelyNamed: Bool

    var allKeys: [Key] {
      values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
        isFreelyNamed ? Key(stringValue: name) : Key(stringValue: name.inCamelCase) ?? Key(stringValue: name)
      }
    }

    func contains(_ key: Key) -> Bool { value(of: key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try decoder(for: key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
      try decoder(for: key, type).read(type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
      guard let value = value(of: key, type), value != .null else { return nil }
      return try decode(type, forKey: key)
    }

    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
      try decoder(for: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
      try decoder(for: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
      JSONValueDecoder(values["super"] ?? .null, at: codingPath + [MemberName("super")])
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(for: key) }

    private func decoder(for key: Key, _ type: Any.Type = Never.self) throws -> JSONValueDecoder {
      let name = MemberName(name(of: key, type))
      guard let value = value(of: key, type) else {
        throw DecodingError.keyNotFound(
          name, .init(codingPath: codingPath, debugDescription: "it is missing"))
      }
      return JSONValueDecoder(value, at: codingPath + [name])
    }

    private func value(of key: Key, _ type: Any.Type = Never.self) -> JSON? {
      values[name(of: key, type)] ?? values[key.stringValue]
        ?? (key.stringValue == Key.loneValue ? lone : nil)
    }

    private func name(of key: Key, _ type: Any.Type) -> String {
      isFreelyNamed ? key.stringValue : key.memberName(of: type)
    }
  }

  private struct Elements: UnkeyedDecodingContainer {
    let elements: [JSON]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(elements: [JSON], codingPath: [any CodingKey]) {
      self.elements = elements
      self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    mutating func decodeNil() throws -> Bool {
      guard try peek().decodeNil() else { return false }
      currentIndex += 1
      return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
      let value = try peek().read(type)
      currentIndex += 1
      return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
      try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
      try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next() }

    private mutating func next() throws -> JSONValueDecoder {
      defer { currentIndex += 1 }
      return try peek()
    }

    private func peek() throws -> JSONValueDecoder {
      let path = codingPath + [MemberName(intValue: currentIndex)]
      guard !isAtEnd else {
        throw DecodingError.valueNotFound(
          JSON.self, .init(codingPath: path, debugDescription: "the array ends before it"))
      }
      return JSONValueDecoder(elements[currentIndex], at: path)
    }
  }
}
