// SPDX-License-Identifier: GPL-2.0-or-later

// Named as in the standard library's string processing, which would bring its whole engine of regular expressions, a
// megabyte and a half, into every program.
extension StringProtocol {
  /// Where another text first stands in this one, compared byte by byte as UTF-8; the start, when it is empty.
  package func firstRange(of text: String) -> Range<Index>? {
    if text.isEmpty { return startIndex..<startIndex }
    return occurrences(of: text, atMost: 1).first
  }

  /// Whether another text stands anywhere in this one, compared byte by byte as UTF-8.
  package func contains(_ text: String) -> Bool { firstRange(of: text) != nil }

  /// What stands before, between and after every occurrence of a text that is not empty: one more than there are.
  package func parts(between separator: String) -> [SubSequence] {
    var parts: [SubSequence] = []
    var start = startIndex
    for range in occurrences(of: separator, atMost: .max) {
      parts.append(self[start..<range.lowerBound])
      start = range.upperBound
    }
    return parts + [self[start...]]
  }

  /// The text with every occurrence of another one replaced, from the left and without overlaps.
  package func replacing(_ text: String, with replacement: String) -> String {
    parts(between: text).joined(separator: replacement)
  }

  private func occurrences(of text: String, atMost limit: Int) -> [Range<Index>] {
    var (whole, sought) = (String(self), text)
    let offsets = whole.withUTF8 { bytes in
      sought.withUTF8 { byteOffsets(of: $0, in: bytes, atMost: limit) }
    }
    return offsets.map { offset in
      let start = utf8.index(startIndex, offsetBy: offset)
      return start..<utf8.index(start, offsetBy: text.utf8.count)
    }
  }
}

private func byteOffsets(
  of sought: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, atMost limit: Int
) -> [Int] {
  guard let first = sought.first else { return [] }
  var offsets: [Int] = []
  var start = 0
  while offsets.count < limit, start + sought.count <= bytes.count {
    if bytes[start] == first, bytes[start..<(start + sought.count)].elementsEqual(sought) {
      offsets.append(start)
      start += sought.count
    } else {
      start += 1
    }
  }
  return offsets
}

extension Unicode.Scalar {
  /// Whether a terminal would obey it.
  package var isControl: Bool { properties.generalCategory == .control }
}

extension String {
  /// The text with its control characters written out, so that a terminal does not obey them.
  package var withVisibleControls: String {
    unicodeScalars.map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}

extension Duration {
  /// For people: in minutes if it is a whole number of them, otherwise in whole seconds.
  public var inWords: String {
    let seconds = components.seconds
    let isMinutes = seconds > 0 && seconds.isMultiple(of: 60)
    let (count, unit) = isMinutes ? (seconds / 60, "minute") : (seconds, "second")
    return Int(count).counted(unit)
  }
}

extension Int {
  /// `1 step`, `2 steps`: so many of something.
  package func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
