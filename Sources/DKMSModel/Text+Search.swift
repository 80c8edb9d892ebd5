// SPDX-License-Identifier: GPL-2.0-or-later

// Named as in the standard library's string processing, which would bring its whole engine of regular expressions, a
// megabyte and a half, into every program.
extension StringProtocol {
  /// Where another text first stands in this one, compared byte by byte as UTF-8; the start, when it is empty.
  package func firstRange(of text: some StringProtocol) -> Range<Index>? {
    let length = text.utf8.count
    var start = utf8.startIndex
    for remaining in stride(from: utf8.count, through: length, by: -1) {
      if utf8[start...].starts(with: text.utf8) { return start..<utf8.index(start, offsetBy: length) }
      if remaining > 0 { start = utf8.index(after: start) }
    }
    return nil
  }

  /// Whether another text stands anywhere in this one, compared byte by byte as UTF-8.
  package func contains(_ text: some StringProtocol) -> Bool { firstRange(of: text) != nil }

  /// What stands before, between and after every occurrence of a text that is not empty: one more than there are.
  package func parts(between separator: some StringProtocol) -> [SubSequence] {
    var parts: [SubSequence] = []
    var rest = self[...]
    while !separator.isEmpty, let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }

  /// The text with every occurrence of another one replaced, from the left and without overlaps.
  package func replacing(_ text: some StringProtocol, with replacement: some StringProtocol) -> String {
    parts(between: text).joined(separator: String(replacement))
  }
}
