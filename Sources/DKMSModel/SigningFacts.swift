// SPDX-License-Identifier: GPL-2.0-or-later

/// What is known of signing modules for a kernel.
public struct SigningFacts: Codable, Hashable, Sendable {
  /// Whether its modules are signed: it verifies signatures, the administrator wants them, and a program is there.
  public var isWanted: Bool
  /// What they are signed with.
  public var keys: KeyPair
  /// How much of that is there.
  public var state: KeyState

  /// Makes a description of signing.
  public init(isWanted: Bool, keys: KeyPair, state: KeyState) {
    self.isWanted = isWanted
    self.keys = keys
    self.state = state
  }
}
