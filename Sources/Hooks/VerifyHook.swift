// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
internal import Inspection

/// Last of all after a transaction: says of each kernel whether it can be booted as before.
///
/// It trusts no report of what was done before, only what is on the disk.
public enum VerifyHook: Hook {
  /// Which helper it is.
  public static let kind = HelperKind.verify

  /// Looks at every kernel; the targets only tell that there is a reason to.
  ///
  /// - Throws: `DKMSError` where framework.conf cannot be read.
  public static func prepare(
    _ targets: [HookTarget], to purpose: HookPurpose, layout: Layout, host: Host
  ) async throws(DKMSError) -> HookWork {
    let verification = try await Verification(
      layout: layout, host: host, database: Database(root: layout.root))
    return HookWork(.conditions(verification.facts)) { _ in
      verification.say(on: host.console)
      return HookEnding(isWell: verification.isWell)
    }
  }
}
