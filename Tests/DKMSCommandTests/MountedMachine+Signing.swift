// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

extension MountedMachine {
  /// Has modules signed by the program of each kernel's headers; `framework` is added to framework.conf.
  func sign(_ framework: String = "") throws {
    let program = #"sign_file="/usr/lib/modules/$kernelver/build/scripts/sign-file""#
    try write("try_sign_modules=true\n\(program)\n\(framework)\n", to: "etc/framework.conf")
  }

  /// A key and a certificate of the administrator's own.
  func addKeys(_ key: String = "etc/own.key", _ certificate: String = "etc/own.der") async throws {
    let made = try await Self.keys.value
    try write(bytes: made.key, to: key)
    try write(bytes: made.certificate, to: certificate)
  }

  static let ownKeys = "mok_signing_key=/etc/dkms/own.key\nmok_certificate=/etc/dkms/own.der"

  /// They take time to make; all tests may have the same.
  private static let keys = Task {
    let directory = try TemporaryDirectory()
    let (key, certificate) = (directory.path.appending("key"), directory.path.appending("certificate"))
    let run = try await Run.program(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Tests of signing", "-keyout",
        key.string, "-outform", "DER", "-out", certificate.string,
      ])
    try #require(run.status == 0, "\(run)")
    return (key: try Files.read(key), certificate: try Files.read(certificate))
  }

  /// A configuration of a kernel that loads no module without a signature, for `--config`.
  func addEnforcingConfiguration() throws {
    let configuration = TestParts.headers(of: Kernels.first).appending("include/config/auto.conf")
    let text = try #require(Disk.text(configuration))
    try write("\(text)\nCONFIG_MODULE_SIG_FORCE=y\n", to: "etc/enforcing.config")
  }

  /// What `modinfo` says of the signature of a module file.
  func signature(_ name: String) async throws -> Signature {
    let file = path(name).string
    func field(_ name: String) async throws -> String {
      try await Run.program("/usr/sbin/modinfo", ["-F", name, file]).lines.joined()
    }
    return Signature(
      signer: try await field("signer"), key: try await field("sig_key"),
      hash: try await field("sig_hashalgo"),
      kind: try await field("sig_id"))
  }

  struct Signature: Equatable {
    let signer: String
    let key: String
    let hash: String
    let kind: String

    static let none = Signature(signer: "", key: "", hash: "", kind: "")
  }
}
