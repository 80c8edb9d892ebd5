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

/// Why a module has no signature, or why there is nothing to sign it with.
public enum SigningProblem: Codable, Hashable, Sendable {
  /// Neither key nor certificate exists.
  case keysAbsent(KeyPair)
  /// The certificate exists without its key.
  case keyMissing(KeyPair)
  /// The key exists without its certificate.
  case certificateMissing(KeyPair)
  /// The program that makes keys is not installed.
  case opensslMissing
  /// The program that makes keys failed.
  case keysNotMade(KeyPair, detail: String)
  /// The kernel's program that signs modules is not there.
  case programMissing(path: String)
  /// That program failed.
  case programFailed(path: String, detail: String)

  /// What is wrong with this much of a pair; nil where nothing is.
  public init?(_ pair: KeyPair, _ state: KeyState) {
    switch state {
    case .complete: return nil
    case .absent: self = .keysAbsent(pair)
    case .withoutKey: self = .keyMissing(pair)
    case .withoutCertificate: self = .certificateMissing(pair)
    }
  }

  /// What fixes it.
  public var remedy: String? {
    switch self {
    case .keysAbsent, .keyMissing: "dkms generate_mok"
    case .certificateMissing(let pair):
      pair.isOnToken
        ? "put the certificate of the token's key there"
        : "put \(pair.certificate) back, or, if it is lost, make both anew: "
          + "mv \(pair.key.quotedForShell) \("\(pair.key).old".quotedForShell) && dkms generate_mok"
    case .opensslMissing: "pacman -S openssl"
    case .programMissing: "reinstall the kernel's headers, or name the program as sign_file in framework.conf"
    case .keysNotMade, .programFailed: nil
    }
  }
}

extension SigningProblem: CustomStringConvertible {
  /// What is wrong, as the end of a sentence.
  public var description: String {
    switch self {
    case .keysAbsent(let pair): "neither \(pair.key) nor \(pair.certificate) exists"
    case .keyMissing(let pair): "\(pair.key) is missing, but its certificate \(pair.certificate) is there"
    case .certificateMissing(let pair): "\(pair.certificate) is missing, but \(pair.keyName) is there"
    case .opensslMissing: "openssl, which makes keys, is not installed"
    case .keysNotMade(let pair, let detail): "\(pair.key) could not be made: \(detail)"
    case .programMissing(let path): "\(path) is not a program"
    case .programFailed(let path, let detail): "\(path) failed: \(detail)"
    }
  }
}
