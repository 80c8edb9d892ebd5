// SPDX-License-Identifier: GPL-2.0-or-later

/// How much an image may hold.
public struct ImageLimits: Hashable, Sendable {
  /// Entries of its archives.
  public var entries = 1_000_000
  /// Bytes that come out of what is compressed in it.
  public var bytes: Int64 = 4 << 30
  /// Bytes of a dictionary that decompression keeps in memory.
  public var dictionary: Int64 = 128 << 20
  /// Modules in it, whose names are all that is kept of it.
  public var modules = 50_000
  /// Bytes that come out of one compressed module.
  public var moduleBytes: Int64 = 512 << 20
  /// Bytes that come out of all its modules together.
  public var allModuleBytes: Int64 = 4 << 30

  /// Makes the limits for images, which are far below them.
  public init() {}
}
