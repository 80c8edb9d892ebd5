// SPDX-License-Identifier: GPL-2.0-or-later

/// Decodes one JSON value, without converting between types.
struct JSONValueDecoder: Decoder, SingleValueDecodingContainer {
  private let json: JSON
  let codingPath: [any CodingKey]

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ json: JSON, at path: [any CodingKey]) {
    self.json = json
    codingPath = path
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
    default: return try type.init(from: self)
    }
    guard let value = value as? Value else { throw mismatch(type, "a \(type)".lowercased()) }
    return value
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = json else { throw mismatch([String: JSON].self, "an object") }
    let values = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    return KeyedDecodingContainer(Members(values: values, codingPath: codingPath))
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
    let codingPath: [any CodingKey]

    var allKeys: [Key] {
      values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap(Key.init(stringValue:))
    }

    func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try decoder(for: key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
      try decoder(for: key).read(type)
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

    private func decoder(for key: Key) throws -> JSONValueDecoder {
      guard let value = values[key.stringValue] else {
        throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "it is missing"))
      }
      return JSONValueDecoder(value, at: codingPath + [key])
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
