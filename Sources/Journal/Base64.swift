// SPDX-License-Identifier: GPL-2.0-or-later

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
