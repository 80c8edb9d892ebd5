// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import SystemPackage

/// Whether a process sees another system than the one that was booted.
enum Chroot {
  /// Asks as the reference does: fakechroot says so, or mounts or root directory are not those of process 1.
  ///
  /// Only root may look at the root directory of process 1. If even root cannot, /proc is missing, as it is
  /// in a bare chroot.
  static func isEntered(environment: [String: String], isRoot: Bool, proc: FilePath = "/proc") -> Bool {
    let isFake =
      environment["FAKECHROOT"] == "true" && environment["FAKECHROOT_BASE"] != nil
      && environment["LD_PRELOAD"]?.contains("libfakechroot.so") == true
    if isFake { return true }
    let mounts = ["1", "self"].map { try? Files.read(proc.appending($0).appending("mountinfo")) }
    if let first = mounts[0], let own = mounts[1], first != own { return true }
    return isRoot && (try? Files.areSame(proc.appending("1/root"), "/")) != true
  }
}
