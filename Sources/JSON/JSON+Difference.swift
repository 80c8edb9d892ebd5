// SPDX-License-Identifier: GPL-2.0-or-later

extension JSON {
  /// A place where two values differ.
  public struct Difference: Hashable, Sendable {
    /// The way there.
    public let place: String
    /// What the one has; nil where it has nothing.
    public let left: JSON?
    /// What the other has.
    public let right: JSON?
  }

  /// Where another value differs from this one; what lies deeper in equal places is not repeated above.
  public func differences(from other: JSON) -> [Difference] { differences(from: other, at: []) }

  private func differences(from other: JSON, at path: [any CodingKey]) -> [Difference] {
    if self == other { return [] }
    switch (self, other) {
    case (.object(let left), .object(let right)):
      let names = left.map(\.name) + right.map(\.name).filter { self[$0] == nil }
      return names.flatMap { Self.differences(self[$0], other[$0], at: path + [MemberName($0)]) }
    case (.array(let left), .array(let right)):
      return (0..<max(left.count, right.count)).flatMap { index in
        Self.differences(
          index < left.count ? left[index] : nil, index < right.count ? right[index] : nil,
          at: path + [MemberName(intValue: index)])
      }
    default: return [Difference(place: path.place, left: self, right: other)]
    }
  }

  private static func differences(_ left: JSON?, _ right: JSON?, at path: [any CodingKey]) -> [Difference] {
    if let left, let right { return left.differences(from: right, at: path) }
    return left == nil && right == nil ? [] : [Difference(place: path.place, left: left, right: right)]
  }
}
