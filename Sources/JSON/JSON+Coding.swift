// SPDX-License-Identifier: GPL-2.0-or-later

extension JSON {
  /// Describes a value; equal values give the same text, whatever order their sets and dictionaries have.
  public init(encoding value: some Encodable) {
    let slot = ValueSlot()
    do {
      try slot.fill(with: value, at: [])
    } catch {
      preconditionFailure("a value of ours cannot be described: \(error)")
    }
    self = slot.json
  }

  /// Reads a value that has been described.
  ///
  /// - Throws: `JSONProblem`, which names the way to what is wrong.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws(JSONProblem) -> Value {
    do {
      return try JSONValueDecoder(self, at: []).read(type)
    } catch let error as DecodingError {
      throw JSONProblem(error)
    } catch {
      throw JSONProblem(place: "", text: "\(error)")
    }
  }

  /// A member of an object.
  public subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
}

/// A value that is kept as it is within one that is described; only the coders here can do that.
extension JSON: Codable {
  /// Always fails: the decoder of this target takes the value without asking.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    throw DecodingError.dataCorrupted(
      .init(codingPath: decoder.codingPath, debugDescription: "only JSON holds a value of JSON"))
  }

  /// Always fails: the encoder of this target takes the value without asking.
  ///
  /// - Throws: `EncodingError`.
  public func encode(to encoder: any Encoder) throws {
    throw EncodingError.invalidValue(
      self, .init(codingPath: encoder.codingPath, debugDescription: "only JSON holds a value of JSON"))
  }
}

extension JSONProblem {
  fileprivate init(_ error: DecodingError) {
    switch error {
    case .typeMismatch(_, let context), .dataCorrupted(let context):
      self.init(place: context.codingPath.place, text: context.debugDescription)
    case .valueNotFound(_, let context):
      self.init(place: context.codingPath.place, text: "a value is missing")
    case .keyNotFound(let key, let context):
      self.init(place: (context.codingPath + [key]).place, text: "it is missing")
    @unknown default:
      self.init(place: "", text: "\(error)")
    }
  }
}
