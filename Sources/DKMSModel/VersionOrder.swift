// SPDX-License-Identifier: GPL-2.0-or-later

/// The order in which DKMS compares module versions and kernel releases.
///
/// Runs of digits are compared as numbers, everything else as text. It is the reference's order, which
/// BUILD_EXCLUSIVE_KERNEL_MIN and `autoinstall` depend on; packages have pacman's order instead.
public struct VersionOrder: Comparable, Hashable, Sendable {
  private let parts: [Part]

  private enum Part: Comparable, Hashable, Sendable {
    // In this order, because a digit sorts before a letter in the reference's padded text.
    case number(digits: [UInt8])
    case byte(UInt8)

    static func < (left: Part, right: Part) -> Bool {
      switch (left, right) {
      case (.number(let left), .number(let right)):
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
      case (.number(let left), .byte(let right)): (left.first ?? zero) < right
      case (.byte(let left), .number(let right)): left < (right.first ?? zero)
      case (.byte(let left), .byte(let right)): left < right
      }
    }
  }

  private static let zero = UInt8(ascii: "0")

  /// Prepares a version for comparison.
  public init(_ version: String) {
    var parts: [Part] = []
    var digits: [UInt8]?
    for byte in version.utf8 {
      if (Self.zero...UInt8(ascii: "9")).contains(byte) {
        digits = (digits == [Self.zero] ? [] : digits ?? []) + [byte]
      } else {
        if let digits { parts.append(.number(digits: digits)) }
        digits = nil
        parts.append(.byte(byte))
      }
    }
    if let digits { parts.append(.number(digits: digits)) }
    self.parts = parts
  }

  /// Whether the left version is the older one.
  public static func < (left: VersionOrder, right: VersionOrder) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }
}
