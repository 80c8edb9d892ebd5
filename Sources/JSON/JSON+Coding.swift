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
  /// - Throws: `DecodingError`, always.
  public init(from decoder: any Decoder) throws {
    throw DecodingError.dataCorrupted(
      .init(codingPath: decoder.codingPath, debugDescription: "only JSON holds a value of JSON"))
  }

  /// Always fails: the encoder of this target takes the value without asking.
  ///
  /// - Throws: `EncodingError`, always.
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

/// The name of a member of an object, or the place of a value in an array.
package struct MemberName: CodingKey {
  /// The name; for a place in an array its digits.
  package let stringValue: String
  /// The place in an array, counted from 0.
  package let intValue: Int?

  /// Names a member.
  package init(_ name: String) {
    stringValue = name
    intValue = nil
  }

  /// Names a member.
  package init(stringValue: String) { self.init(stringValue) }

  /// Names a place in an array.
  package init(intValue: Int) {
    stringValue = "\(intValue)"
    self.intValue = intValue
  }
}

extension [any CodingKey] {
  /// `kernels["6.1.0/x86_64"].signing[2]`: the way to a value, as people write it.
  var place: String {
    reduce(into: "") { text, key in
      if let index = key.intValue {
        text += "[\(index)]"
      } else if key.stringValue.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      } else {
        text += "[\"\(key.stringValue)\"]"
      }
    }
  }
}
