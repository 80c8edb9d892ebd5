// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host

/// Last of all after a transaction: says of each kernel whether it can be booted as before.
///
/// It trusts no report of what was done before, only what is on the disk.
public enum VerifyHook: Hook {
  /// Says the verdicts; the targets only tell that there is a reason to look.
  ///
  /// - Throws: `DKMSError` where framework.conf cannot be read.
  public static func run(
    _ targets: [HookTarget], layout: Layout, host: Host
  ) async throws(DKMSError) -> Bool {
    let verification = try await Verification(
      layout: layout, host: host, database: Database(root: layout.root))
    verification.say(on: host.console)
    return verification.isWell
  }
}
