// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

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
