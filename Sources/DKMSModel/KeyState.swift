// SPDX-License-Identifier: GPL-2.0-or-later

/// How much of a key and its certificate is there.
public enum KeyState: Codable, Hashable, Sendable {
  /// Both.
  case complete
  /// Neither: both have yet to be made.
  case absent
  /// The certificate alone, with which nothing can be signed: it is put aside, and both are made anew.
  case withoutKey
  /// The key alone; only the administrator can say where its certificate is.
  case withoutCertificate

  /// Whether making a key and a certificate loses nothing that could be used.
  public var mayBeMade: Bool { self == .absent || self == .withoutKey }
}
