// SPDX-License-Identifier: GPL-2.0-or-later

/// Encodes one value into a slot.
struct JSONValueEncoder: Encoder, SingleValueEncodingContainer {
  private let slot: ValueSlot
  let codingPath: [any CodingKey]

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ slot: ValueSlot, at path: [any CodingKey]) {
    self.slot = slot
    codingPath = path
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    slot.beObject()
    return KeyedEncodingContainer(Members(slot: slot, codingPath: codingPath))
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

    func encodeNil(forKey key: Key) { _ = slot.member(key.stringValue) }

    func encode(_ value: some Encodable, forKey key: Key) throws {
      try slot.member(key.stringValue).fill(with: value, at: codingPath + [key])
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
      JSONValueEncoder(slot.member(key.stringValue), at: codingPath + [key])
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
