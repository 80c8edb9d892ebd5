// SPDX-License-Identifier: GPL-2.0-or-later

/// Encodes one value into a slot.
struct JSONValueEncoder: Encoder, SingleValueEncodingContainer {
  private let slot: ValueSlot
  let codingPath: [any CodingKey]
  private let isFreelyNamed: Bool

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ slot: ValueSlot, at path: [any CodingKey], isFreelyNamed: Bool = false) {
    self.slot = slot
    codingPath = path
    self.isFreelyNamed = isFreelyNamed
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    slot.beObject()
    return KeyedEncodingContainer(
      Members(slot: slot, codingPath: codingPath, isFreelyNamed: isFreelyNamed))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    slot.beArray()
    return Elements(slot: slot, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() {}

  func encode(_ value: some Encodable) throws { try slot.fill(with: value, at: codingPath) }

  private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: ValueSlot
    let codingPath: [any CodingKey]
    let isFreelyNamed: Bool

    func encodeNil(forKey key: Key) { _ = slot.member(name(of: key)) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
      try slot.member(name(of: key, Value.self)).fill(with: value, at: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
      encoder(for: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      encoder(for: key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
      JSONValueEncoder(slot.member("super"), at: codingPath + [MemberName("super")])
    }

    func superEncoder(forKey key: Key) -> any Encoder { encoder(for: key) }

    private func encoder(for key: Key) -> JSONValueEncoder {
      JSONValueEncoder(slot.member(name(of: key)), at: codingPath + [key])
    }

    private func name(of key: Key, _ type: Any.Type = Never.self) -> String {
      isFreelyNamed ? key.stringValue : key.memberName(of: type)
    }
  }

  private struct Elements: UnkeyedEncodingContainer {
    let slot: ValueSlot
    let codingPath: [any CodingKey]

    var count: Int { slot.elementCount }

    func encodeNil() { _ = slot.element() }

    func encode(_ value: some Encodable) throws {
      let path = codingPath + [MemberName(intValue: count)]
      try slot.element().fill(with: value, at: path)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
      encoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder() }

    private func encoder() -> JSONValueEncoder {
      let path = codingPath + [MemberName(intValue: count)]
      return JSONValueEncoder(slot.element(), at: path)
    }
  }
}

/// A place in a JSON value that is being made; encoders fill it.
final class ValueSlot {
  private var content = Content.value(.null)

  private enum Content {
    case value(JSON)
    case members([(name: String, slot: ValueSlot)])
    case elements([ValueSlot])
    /// The elements of a set, which have no order.
    case unordered([ValueSlot])
  }

  /// What there is by now: members sorted by name, elements of sets by their text, as bytes.
  var json: JSON {
    switch content {
    case .value(let value): value
    // A value without a name that is alone in its case stands for the case.
    case .members(let members) where members.count == 1 && members[0].name == MemberName.loneValue:
      members[0].slot.json
    case .members(let members):
      .object(
        members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
          .map { .init($0.name, $0.slot.json) })
    case .elements(let slots): .array(slots.map(\.json))
    case .unordered(let slots):
      .array(
        slots.map { slot in (json: slot.json, text: slot.json.text) }
          .sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }.map(\.json))
    }
  }

  func fill(with value: some Encodable, at path: [any CodingKey]) throws {
    switch value {
    case let value as Bool: content = .value(.bool(value))
    case let value as String: content = .value(.string(value))
    case let value as any BinaryInteger:
      guard let number = Int(exactly: value) else { throw unsuitable(value, path) }
      content = .value(.number(number))
    case let value as JSON: content = .value(value)
    case let value as Duration: try fill(with: DurationParts(value), at: path)
    case is any FloatingPoint: throw unsuitable(value, path)
    default:
      try value.encode(to: JSONValueEncoder(self, at: path, isFreelyNamed: value is any FreelyNamed))
      if value is any SetAlgebra, case .elements(let slots) = content { content = .unordered(slots) }
    }
  }

  /// A slot for a member; of two with one name the later stays.
  func member(_ name: String) -> ValueSlot {
    let slot = ValueSlot()
    guard case .members(var members) = content else {
      content = .members([(name, slot)])
      return slot
    }
    members.removeAll { $0.name == name }
    members.append((name, slot))
    content = .members(members)
    return slot
  }

  /// A slot for one element more.
  func element() -> ValueSlot {
    let slot = ValueSlot()
    guard case .elements(var slots) = content else {
      content = .elements([slot])
      return slot
    }
    // Two owners of the array would copy it.
    content = .value(.null)
    slots.append(slot)
    content = .elements(slots)
    return slot
  }

  func beObject() { if case .members = content {} else { content = .members([]) } }

  func beArray() { if case .elements = content {} else { content = .elements([]) } }

  var elementCount: Int { if case .elements(let slots) = content { slots.count } else { 0 } }

  private func unsuitable(_ value: Any, _ path: [any CodingKey]) -> EncodingError {
    .invalidValue(value, .init(codingPath: path, debugDescription: "no whole number that JSON holds here"))
  }
}

/// A duration as records have it.
struct DurationParts: Codable {
  private let seconds: Int64
  private let attoseconds: Int64

  init(_ duration: Duration) {
    seconds = duration.components.seconds
    attoseconds = duration.components.attoseconds
  }

  var duration: Duration { Duration(secondsComponent: seconds, attosecondsComponent: attoseconds) }
}
