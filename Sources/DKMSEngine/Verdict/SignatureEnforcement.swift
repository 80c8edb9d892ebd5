// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Whether a kernel loads signed modules only.
struct SignatureEnforcement {
  /// Where the running kernel tells of itself.
  let systemDirectory: FilePath

  /// The configuration says it of every kernel; lockdown and the command line only of the one that runs.
  func applies(to kernel: KernelTree, isRunning: Bool) -> Bool {
    if KernelOptions(file: kernel.configuration).contains("CONFIG_MODULE_SIG_FORCE") == true { return true }
    guard isRunning else { return false }
    let text = { (path: FilePath) in Files.text(systemDirectory.appending(path.components)) ?? "" }
    let lockdown = text("kernel/security/lockdown")
    return ["[integrity]", "[confidentiality]"].contains(where: lockdown.contains)
      || text("module/module/parameters/sig_enforce") == "Y"
  }
}
