// SPDX-License-Identifier: GPL-2.0-or-later

/// Why a module has no signature, or why there is nothing to sign it with.
public enum SigningProblem: Codable, Hashable, Sendable {
  /// Neither key nor certificate exists.
  case keysAbsent(KeyPair)
  /// The certificate exists without its key.
  case keyMissing(KeyPair)
  /// The key exists without its certificate.
  case certificateMissing(KeyPair)
  /// The program that makes keys is not installed.
  case openSSLMissing
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
        : "put \(pair.certificate) back; if it is lost, move \(pair.key) away and run: dkms generate_mok"
    case .openSSLMissing: "pacman -S openssl"
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
    case .openSSLMissing: "openssl, which makes keys, is not installed"
    case .keysNotMade(let pair, let detail): "\(pair.key) could not be made: \(detail)"
    case .programMissing(let path): "\(path) is not a program"
    case .programFailed(let path, let detail): "\(path) failed: \(detail)"
    }
  }
}
