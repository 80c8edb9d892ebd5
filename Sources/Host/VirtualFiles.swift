// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
public import SystemPackage

/// /proc and /dev, which `pacman --root` and image builders may leave out.
///
/// This suite needs neither; compilers, make and generators of images do.
public enum VirtualFiles {
  /// What is missing of them, of all that builds need.
  public static var missing: [FilePath] {
    (hasProcesses ? [] : ["/proc"]) + (hasNullDevice ? [] : ["/dev/null"])
  }

  /// Whether /dev/null is the device, and not a file that something has written there.
  static var hasNullDevice: Bool {
    var status = stat()
    return stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
  }

  private static var hasProcesses: Bool { access("/proc/self/stat", F_OK) == 0 }

  /// Mounts what is missing, for this process and its children alone, where that is allowed and nobody else would see
  /// it.
  ///
  /// Nothing may run beside it yet: threads would stay where they are.
  static func provide() {
    let missing = missing
    guard !missing.isEmpty, geteuid() == 0, unshare(CInt(LINUX_CLONE_NEWNS)) == 0 else { return }
    // Unless this succeeds, others would see what is mounted. It fails where the root is no mount point.
    guard mount(nil, "/", nil, CUnsignedLong(LINUX_MS_REC | LINUX_MS_PRIVATE), nil) == 0 else { return }
    if missing.contains("/proc") { mount("proc", "/proc", "proc", 0, nil) }
    guard missing.contains("/dev/null"), mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755") == 0 else { return }
    for (name, minor) in devices {
      mknod("/dev/\(name)", S_IFCHR | 0o666, makedev(1, minor))
      chmod("/dev/\(name)", 0o666)
    }
    for (name, goal) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
      symlink("/proc/self/fd\(goal)", "/dev/\(name)")
    }
    mkdir("/dev/shm", 0o1777)
    chmod("/dev/shm", 0o1777)
  }

  private static let devices: [(name: String, minor: CUnsignedInt)] = [
    ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9),
  ]

  private static func makedev(_ major: CUnsignedInt, _ minor: CUnsignedInt) -> dev_t {
    dev_t(major) << 8 | dev_t(minor)
  }
}
