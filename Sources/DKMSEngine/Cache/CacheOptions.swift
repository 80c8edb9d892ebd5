// SPDX-License-Identifier: GPL-2.0-or-later

/// What `/etc/alpm-dkms.conf` says of the cache of built modules.
public struct CacheOptions: Hashable, Sendable {
  /// Whether builds are kept and taken from there.
  public var isUsed = true
  /// Modules that are compiled each time, because their builds depend on more than what the cache looks at.
  public var excluded: [NamePattern] = []
  /// How much room it may take, in bytes; nil for no limit.
  public var limit: Int? = 1 << 30

  /// The options of a file that says nothing.
  public init() {}
}
