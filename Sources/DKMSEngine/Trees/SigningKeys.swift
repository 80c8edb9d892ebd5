// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// A key and its certificate as files, whole or on their way.
struct SigningKeys: Sendable {
  let pair: KeyPair
  let key: FilePath
  let certificate: FilePath

  init(_ pair: KeyPair) {
    self.pair = pair
    key = FilePath(pair.key)
    certificate = FilePath(pair.certificate)
  }

  /// Those that framework.conf names for a kernel, else the ones that all kernels share.
  init(for release: KernelRelease, _ options: SigningOptions, in layout: Layout) {
    self.init(
      KeyPair(
        key: options.key?.value(for: release.description) ?? layout.signingKey.string,
        certificate: options.certificate?.value(for: release.description)
          ?? layout.signingCertificate.string))
  }

  /// Which of the two exist.
  ///
  /// A link that leads nowhere counts: its target is up to the administrator.
  ///
  /// - Throws: `HostError`, also where one of them is something else than a file.
  func state() throws(HostError) -> KeyState {
    for file in (pair.isOnToken ? [] : [key]) + [certificate] {
      // The programs that read them would wait for a pipe.
      guard try !Files.isFile(file), let real = try Files.resolved(file), let kind = try Files.kind(real)
      else { continue }
      throw HostError("read", file, .notAFile(kind))
    }
    let hasKey = try hasKey()
    let hasCertificate = try Files.exists(certificate)
    if hasKey, hasCertificate { return .complete }
    if !hasKey, !hasCertificate { return .absent }
    if try isHalfPublished() { return .absent }
    return hasKey ? .withoutCertificate : .withoutKey
  }

  private func hasKey() throws(HostError) -> Bool {
    if pair.isOnToken { return true }
    return try Files.exists(key)
  }

  /// Where a certificate goes whose key is lost.
  var formerCertificate: FilePath { FilePath("\(certificate).old") }

  /// Where the two are made.
  var stagedKey: FilePath { Files.stagingPath(for: key) }
  var stagedCertificate: FilePath { Files.stagingPath(for: certificate) }

  /// Whether a run was killed between the two renames; the key is renamed first.
  func isHalfPublished() throws(HostError) -> Bool {
    if pair.isOnToken { return false }
    guard try Files.exists(key), try !Files.exists(certificate) else { return false }
    guard try !Files.exists(stagedKey) else { return false }
    return try Files.exists(stagedCertificate)
  }
}
