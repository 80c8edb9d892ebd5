// SPDX-License-Identifier: GPL-2.0-or-later

/// A package version, `[epoch:]version[-release]`, in pacman's order.
///
/// The order is that of `alpm_pkg_vercmp`: epochs first, then versions, then releases, each by the rules of
/// `rpmvercmp`. Spellings that these rules cannot tell apart (`1.0-1` and `1.00-1`) are equal.
///
/// libalpm calls `1.0` equal to both `1.0-1` and `1.0-2`, which no order allows. Here a version without a
/// release comes before the same version with one; ``order(comparedTo:)`` answers as libalpm does.
public struct PackageVersion: Sendable {
  /// How one version stands to another.
  public enum Order: Int, Sendable {
    /// The version is older than the other.
    case older = -1
    /// Neither is newer.
    case same = 0
    /// The version is newer than the other.
    case newer = 1
  }

  /// The version as it was written.
  public let description: String

  /// Takes any text: pacman knows no invalid version.
  public init(_ description: String) {
    self.description = description
  }

  /// How this version stands to another, as `alpm_pkg_vercmp` says: a missing release matches every release.
  public func order(comparedTo other: PackageVersion) -> Order {
    let (a, b) = (parts, other.parts)
    let order = a.epoch.order(comparedTo: b.epoch).or(a.version.order(comparedTo: b.version))
    guard let left = a.release, let right = b.release else { return order }
    return order.or(left.order(comparedTo: right))
  }

  /// The three parts as pacman splits them: the epoch ends at a colon after leading digits, the release begins
  /// at the last dash.
  private var parts: (epoch: VersionSegments, version: VersionSegments, release: VersionSegments?) {
    var rest = description.utf8[...]
    var epoch = "0".utf8[...]
    let afterDigits = rest.drop(while: \.isASCIIDigit)
    if afterDigits.first == UInt8(ascii: ":") {
      if afterDigits.startIndex > rest.startIndex { epoch = rest[..<afterDigits.startIndex] }
      rest = afterDigits.dropFirst()
    }
    guard let dash = rest.lastIndex(of: UInt8(ascii: "-")) else {
      return (VersionSegments(epoch), VersionSegments(rest), nil)
    }
    let release = rest[dash...].dropFirst()
    return (VersionSegments(epoch), VersionSegments(rest[..<dash]), VersionSegments(release))
  }
}

extension PackageVersion: Comparable {
  /// Whether both have the same epoch, version and release in pacman's order.
  public static func == (left: PackageVersion, right: PackageVersion) -> Bool {
    let (a, b) = (left.parts, right.parts)
    return a.epoch == b.epoch && a.version == b.version && a.release == b.release
  }

  /// Whether the left version is the older one.
  public static func < (left: PackageVersion, right: PackageVersion) -> Bool {
    switch left.order(comparedTo: right) {
    case .older: true
    case .newer: false
    case .same: left.parts.release == nil && right.parts.release != nil
    }
  }
}

extension PackageVersion: Hashable {
  /// Feeds what equality looks at: numbers without leading zeros, separators by their length.
  public func hash(into hasher: inout Hasher) {
    let (epoch, version, release) = parts
    hasher.combine(epoch)
    hasher.combine(version)
    hasher.combine(release)
  }
}

extension PackageVersion: LosslessStringConvertible, ExpressibleByStringLiteral {
  /// Takes the literal as a version.
  public init(stringLiteral description: String) {
    self.init(description)
  }
}

extension PackageVersion.Order {
  /// This order, or the next criterion's where this one cannot decide.
  func or(_ next: @autoclosure () -> Self) -> Self {
    self == .same ? next() : self
  }
}
