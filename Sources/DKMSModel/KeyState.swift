// SPDX-License-Identifier: GPL-2.0-or-later

/// How much of a key and its certificate is there.
public enum KeyState: Codable, Hashable, Sendable {
  /// Both.
  case complete
  /// Neither: both have yet to be made.
  case absent
  /// The certificate alone; where its key is only the administrator can say.
  case withoutKey
  /// The key alone; where its certificate is only the administrator can say.
  case withoutCertificate
}
