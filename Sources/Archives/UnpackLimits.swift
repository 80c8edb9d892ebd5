// SPDX-License-Identifier: GPL-2.0-or-later

/// How much an archive may hold.
public struct UnpackLimits: Hashable, Sendable {
  /// Entries, with the directories that their paths imply.
  public var entries = 200_000
  /// Bytes of all files together.
  public var bytes: Int64 = 2 << 30
  /// Bytes of one path.
  ///
  /// Together with the directory it is unpacked to, it must not be too long for the system.
  public var pathLength = 2048

  /// Makes the limits for sources and modules, which are far below them.
  public init() {}
}
