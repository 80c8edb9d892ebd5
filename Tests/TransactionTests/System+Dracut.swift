// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Systems whose images the host's dracut makes, small and quickly.
extension System {
  /// Has a package called dracut, and the kernels that are there in /boot.
  ///
  /// In front of the program stands a script that notes each call, and fails where /dracut-fails is.
  func addDracut() async throws {
    let package = try await makePackage(
      "dracut", content: "mkdir -p usr/share/dracut && touch usr/share/dracut/own")
    try await pacman("-U", [package]).mustSucceed()
    try await root.shell(
      """
      mkdir -p /etc/dracut.conf.d /usr/local/bin
      cat > /etc/dracut.conf.d/small.conf << 'CONF'
      hostonly=no
      dracutmodules+=" bash "
      drivers+=" hello_world "
      compress=cat
      early_microcode=no
      CONF
      cat > /usr/local/bin/dracut << 'SCRIPT'
      #!/bin/sh
      echo "$*" >> /dracut-calls
      [ ! -e /dracut-fails ] || { echo 'dracut: ERROR: no such luck'; exit 1; }
      exec /usr/bin/dracut "$@"
      SCRIPT
      chmod +x /usr/local/bin/dracut
      \(Self.putKernelsIntoBoot)
      """
    ).mustSucceed()
  }

  /// What a kernel's hook does on Arch.
  static let putKernelsIntoBoot = """
    for kernel in /usr/lib/modules/*/vmlinuz; do
      cp "$kernel" "/boot/vmlinuz-$(cat "${kernel%/*}/pkgbase")"
    done
    """

  /// How often dracut was called for a kernel.
  func dracutCalls(for release: String) async throws -> Int {
    try await root.shell("grep -c -- '--kver \(release) ' /dracut-calls || true").lines.first.flatMap {
      Int($0)
    } ?? 0
  }

  /// The kernel modules in an image, with the directory of their kernel before them.
  func modules(in image: String) async throws -> [String] {
    let run = try await root.shell(
      "lsinitrd \(image) | sed -nE 's|.* usr/lib/modules/(.*[.]ko)$|\\1|p' | LC_ALL=C sort")
    return run.lines
  }

  /// Checks that an image holds the installed module, byte for byte.
  func expectInstalledModule(
    in image: String, of release: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let module = "usr/lib/modules/\(release)/updates/dkms/hello_world.ko"
    let run = try await root.shell("lsinitrd -f \(module) \(image) | cmp - /\(module)")
    #expect(run.status == 0, "\(run)", sourceLocation: sourceLocation)
  }
}
