// SPDX-License-Identifier: GPL-2.0-or-later

/// The private key and the certificate with which modules are signed.
public struct KeyPair: Codable, Hashable, Sendable {
  /// The key: a file, or a `pkcs11:` URI.
  public let key: String
  /// The file of the certificate that belongs to it.
  public let certificate: String

  /// Takes a key and its certificate.
  public init(key: String, certificate: String) {
    self.key = key
    self.certificate = certificate
  }

  /// Whether a token holds the key; then the key is neither made nor looked for here.
  public var isOnToken: Bool { key.hasPrefix("pkcs11:") }

  /// What to call the key in messages; a URI may contain the PIN of its token.
  public var keyName: String { isOnToken ? "the key on its token" : key }
}
