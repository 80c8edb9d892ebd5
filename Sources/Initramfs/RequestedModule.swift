// SPDX-License-Identifier: GPL-2.0-or-later

/// A module that the configuration of a generator names.
public struct RequestedModule: Hashable, Sendable {
  /// Its name, as it is written there.
  public let module: String
  /// Where it is written.
  public let askedForBy: String

  /// Makes a record of one.
  public init(_ module: String, askedForBy: String) {
    self.module = module
    self.askedForBy = askedForBy
  }
}
