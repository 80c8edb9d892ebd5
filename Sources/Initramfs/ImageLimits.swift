// SPDX-License-Identifier: GPL-2.0-or-later

/// How much an image may hold.
public struct ImageLimits: Hashable, Sendable {
  /// Entries of its archives.
  public var entries = 1_000_000
  /// Bytes that come out of what is compressed in it.
  public var bytes: Int64 = 4 << 30
  /// Bytes that come out of one compressed module.
  public var moduleBytes: Int64 = 1 << 30

  /// Makes the limits for images, which are far below them.
  public init() {}
}
