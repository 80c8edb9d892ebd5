// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Makes a key and its certificate, unless both are there by now; one is never made to match an existing
  /// other.
  ///
  /// A certificate that has lost its key is put aside, not deleted, in case the key turns up again.
  func makeKeys(_ pair: KeyPair) async throws(DKMSError) -> [String] {
    let keys = SigningKeys(pair)
    try checkDirectories(of: keys)
    return try await locked(keys.key.removingLastComponent(), .exclusive, pair.key) {
      () throws(DKMSError) in
      // Another run may have made them while this one waited.
      let (state, isHalfPublished) = try onFiles { () throws(HostError) in
        (try keys.state(), try keys.isHalfPublished())
      }
      guard let problem = SigningProblem(pair, state) else { return [] }
      guard state.mayBeMade else { throw .keysUnavailable(problem) }
      if !isHalfPublished {
        try await generate(keys)
        try onFiles { () throws(HostError) in
          if state == .withoutKey { try Files.rename(keys.certificate, to: keys.formerCertificate) }
          try Files.rename(keys.stagedKey, to: keys.key)
          try Files.synchronize(keys.key.removingLastComponent())
        }
      }
      try publishCertificate(of: keys)
      guard state == .withoutKey else { return [] }
      return [
        """
        \(pair.certificate) had lost its key: both were made anew, the old certificate is \
        \(keys.formerCertificate); to have Secure Boot accept the new one: mokutil --import \(pair.certificate)
        """
      ]
    }
  }

  /// If the directory is missing, its name was probably mistyped, so it is not made.
  private func checkDirectories(of keys: SigningKeys) throws(DKMSError) {
    for directory in [keys.key, keys.certificate].map({ $0.removingLastComponent() })
    where directory != layout.dkmsTree {
      if try onFiles({ () throws(HostError) in try Files.isDirectory(directory) }) { continue }
      throw .keysUnavailable(.keysNotMade(keys.pair, detail: "the directory \(directory) does not exist"))
    }
  }

  private func generate(_ keys: SigningKeys) async throws(DKMSError) {
    guard ProgramPath(host.environment).contains("openssl") else {
      throw .keysUnavailable(.opensslMissing)
    }
    guard keys.key != keys.certificate else {
      throw .keysUnavailable(.keysNotMade(keys.pair, detail: "its certificate cannot be the same file"))
    }
    try onFiles { () throws(HostError) in
      try discardStaged(keys)
      // Nobody else may read a byte of it, not even while it is written.
      try Files.write([], to: keys.stagedKey, permissions: .ownerReadWrite)
    }
    let command = Command("openssl", Self.arguments(for: keys), environment: buildEnvironment)
    echo?.print("# \(([command.program] + command.arguments).joined(separator: " "))")
    let result = try await host.run(command)
    guard result.isSuccess, (try? Files.isFile(keys.stagedCertificate)) == true else {
      try? discardStaged(keys)
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      throw .keysUnavailable(
        .keysNotMade(keys.pair, detail: complaint ?? "it ended with status \(result.status)"))
    }
    try onFiles { () throws(HostError) in
      for file in [keys.stagedKey, keys.stagedCertificate] { try Files.synchronize(file) }
      try Files.synchronize(keys.stagedCertificate.removingLastComponent())
    }
  }

  /// The certificate is removed first: on its own it would look as if its key had already been renamed.
  private func discardStaged(_ keys: SigningKeys) throws(HostError) {
    try Files.remove(keys.stagedCertificate)
    try Files.remove(keys.stagedKey)
  }

  private func publishCertificate(of keys: SigningKeys) throws(DKMSError) {
    try onFiles { () throws(HostError) in
      try Files.rename(keys.stagedCertificate, to: keys.certificate)
      try Files.synchronize(keys.certificate.removingLastComponent())
    }
  }

  /// The certificate lasts a hundred years, since no module would load once it expired, and is only for
  /// signing code.
  private static func arguments(for keys: SigningKeys) -> [String] {
    let days = 36_500
    let subject = "/CN=DKMS module signing key"
    return [
      "req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes", "-days", "\(days)", "-subj", subject,
      "-addext",
      "extendedKeyUsage=codeSigning", "-keyout", keys.stagedKey.string, "-outform", "DER", "-out",
      keys.stagedCertificate.string,
    ]
  }
}
