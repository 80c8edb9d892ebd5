// SPDX-License-Identifier: GPL-2.0-or-later

/// One part of a version (epoch, version or release), cut up the way `rpmvercmp` compares it.
///
/// Digits and ASCII letters form segments, every other byte separates. Of separators only the length counts.
struct VersionSegments: Hashable {
  struct Segment: Hashable {
    /// How many separating bytes stand before the segment.
    var separators: Int
    var isNumber: Bool
    /// The segment's bytes; a number's without leading zeros.
    var text: ArraySlice<UInt8>
  }

  private var segments: [Segment] = []
  private var endsInSeparator = false

  init(_ text: some Sequence<UInt8>) {
    var rest = Array(text)[...]
    while !rest.isEmpty {
      let start = rest.startIndex
      rest = rest.drop { !$0.isASCIIDigit && !$0.isASCIILetter }
      let separators = rest.startIndex - start
      guard let first = rest.first else {
        endsInSeparator = separators > 0
        return
      }
      let isNumber = first.isASCIIDigit
      let run = rest.prefix { isNumber ? $0.isASCIIDigit : $0.isASCIILetter }
      rest = rest[run.endIndex...]
      segments.append(
        Segment(
          separators: separators, isNumber: isNumber,
          text: isNumber ? run.drop { $0 == UInt8(ascii: "0") } : run))
    }
  }

  func order(comparedTo other: VersionSegments) -> PackageVersion.Order {
    for (left, right) in zip(segments, other.segments) {
      let order = left.order(comparedTo: right)
      if order != .same { return order }
    }
    if segments.count < other.segments.count {
      return endOrder(comparedTo: other.segments[segments.count])
    }
    if segments.count > other.segments.count {
      return other.endOrder(comparedTo: segments[other.segments.count]).reversed
    }
    return .init(endsInSeparator ? 1 : 0, comparedTo: other.endsInSeparator ? 1 : 0)
  }

  /// How having ended stands to going on with a segment: `1.0` is newer than `1.0rc` but older than `1.0.1`.
  private func endOrder(comparedTo next: Segment) -> PackageVersion.Order {
    let goesOnWithWord = !next.isNumber && (next.separators == 0 || endsInSeparator)
    return goesOnWithWord ? .newer : .older
  }
}

extension VersionSegments.Segment {
  func order(comparedTo other: Self) -> PackageVersion.Order {
    let order = PackageVersion.Order(separators, comparedTo: other.separators)
      .or(.init(isNumber ? 1 : 0, comparedTo: other.isNumber ? 1 : 0))
    guard order == .same else { return order }
    if isNumber && text.count != other.text.count {
      return .init(text.count, comparedTo: other.text.count)
    }
    if text == other.text { return .same }
    return text.lexicographicallyPrecedes(other.text) ? .older : .newer
  }
}

extension PackageVersion.Order {
  init(_ left: Int, comparedTo right: Int) {
    self = left < right ? .older : left > right ? .newer : .same
  }

  var reversed: Self {
    switch self {
    case .older: .newer
    case .same: .same
    case .newer: .older
    }
  }
}

extension UInt8 {
  var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
