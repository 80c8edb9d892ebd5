// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import SystemPackage

/// Whether the running kernel loads no module without a signature.
enum SignatureEnforcement {
  /// Asks the kernel: it was told so at boot, or it is locked down.
  static func isOn(sys: FilePath = "/sys") -> Bool {
    if (try? Files.text(sys.appending("module/module/parameters/sig_enforce"))) == "Y" { return true }
    // `none [integrity] confidentiality`: the brackets mark the current level; every level but none asks for
    // signatures.
    let level = try? Files.text(sys.appending("kernel/security/lockdown"))
    return level.map { $0.contains("[") && !$0.contains("[none]") } ?? false
  }
}
