// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Runs that are killed while an image is being made: the old one stays, or the new one is whole, and the next run
/// does what is left to do.
@Suite(.requiresPacman)
struct ImageInterruptionTests {
  private static let image = "/boot/initramfs-linux-lts.img"
  private static let helper = "/usr/lib/alpm-dkms/alpm-dkms-initramfs < /image-targets"

  /// Ends a script at an instant, until whoever has started it is killed.
  private static func halt(at instant: String) -> String {
    "[ ! -e /halt-\(instant) ] || { : > /reached; exec sleep 100000; }"
  }

  // MARK: Systems whose image is older than the module

  private static func makeModuleNewer(in system: System) async throws {
    try await system.root.shell(
      """
      ln -s /dev/null /etc/pacman.d/hooks/91-dkms-initramfs.hook
      cp \(image) /before
      echo usr/src/hello-world-1.1/dkms.conf > /image-targets
      """
    ).mustSucceed()
    // The verdict is that the image is old.
    _ = try await system.install("hello-world-dkms=1.1-")
    try await system.expectInstalled("hello_world", "1.1", for: System.lts)
    #expect(try await system.root.shell("cmp /before \(image)").status == 0)
  }

  private static let dracut = Task {
    let system = try await System.withLTSKernel()
    try await system.addDracut()
    try await system.root.shell(
      """
      cat > /usr/local/bin/dracut << 'SCRIPT'
      #!/bin/sh
      \(halt(at: "start"))
      /usr/bin/dracut "$@" || exit
      \(halt(at: "written"))
      SCRIPT
      """
    ).mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await makeModuleNewer(in: system)
    return system.root
  }

  /// A stand-in, since the real one is not to be had here; it packs the installed module.
  private static let mkinitcpio = Task {
    let system = try await System.withLTSKernel()
    let package = try await system.makePackage(
      "mkinitcpio", content: "mkdir -p usr/share/mkinitcpio && touch usr/share/mkinitcpio/own")
    try await system.pacman("-U", [package]).mustSucceed()
    try await system.root.shell(
      """
      mkdir -p /etc/mkinitcpio.d /etc/initcpio/post /usr/local/bin
      cat > /etc/mkinitcpio.d/linux-lts.preset << 'PRESET'
      ALL_kver=\(System.lts)
      PRESETS=(default)
      default_image=\(image)
      PRESET
      echo 'MODULES=(hello_world)' > /etc/mkinitcpio.conf
      cat > /usr/local/bin/mkinitcpio << 'SCRIPT'
      #!/bin/bash
      set -eu
      \(halt(at: "start"))
      while (($#)); do
        [[ $1 != -g ]] || image=$2
        shift
      done
      work=$(mktemp -d)
      trap 'rm -r "$work"' EXIT
      modules=usr/lib/modules/\(System.lts)/updates/dkms
      mkdir -p "$work/$modules"
      cp /$modules/hello_world.ko* "$work/$modules"
      head -c 100000 /dev/zero > "$work/init"
      (cd "$work" && find init usr | bsdtar -cnf - --format=newc -T -) > "$work/image"
      head -c 50000 "$work/image" > "$image"
      \(halt(at: "middle"))
      cp "$work/image" "$image"
      \(halt(at: "written"))
      SCRIPT
      cat > /etc/initcpio/post/note << 'SCRIPT'
      #!/bin/sh
      \(halt(at: "follow"))
      sha256sum < "$2" > "/noted-${2##*/}"
      SCRIPT
      chmod +x /usr/local/bin/mkinitcpio /etc/initcpio/post/note
      \(System.putKernelsIntoBoot)
      """
    ).mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await makeModuleNewer(in: system)
    return system.root
  }

  // MARK: Killed

  @Test(
    "Killed while dracut makes an image, the next run makes it good",
    arguments: [
      ("start", Self.helper, Self.helper), ("written", Self.helper, "alpm-dkms reconcile"),
      ("written", "alpm-dkms reconcile", Self.helper),
    ])
  func dracut(_ instant: String, _ command: String, _ next: String) async throws {
    let system = System(root: try await ThrowawayRoot(from: Self.dracut.value))
    try await kill(command, at: instant, on: system)
    #expect(try await system.root.shell("cmp /before \(Self.image)").status == 0)
    try await expectMended(by: next, on: system)
  }

  @Test(
    "Killed while mkinitcpio makes an image, or before what follows it, the next run makes it good",
    arguments: [
      ("start", Self.helper, Self.helper), ("middle", "alpm-dkms reconcile", Self.helper),
      ("written", Self.helper, "alpm-dkms reconcile"), ("follow", Self.helper, Self.helper),
      ("follow", "alpm-dkms reconcile", "alpm-dkms reconcile"),
    ])
  func mkinitcpio(_ instant: String, _ command: String, _ next: String) async throws {
    let system = System(root: try await ThrowawayRoot(from: Self.mkinitcpio.value))
    try await system.root.shell("rm /noted-*").mustSucceed()
    try await kill(command, at: instant, on: system)
    if instant == "follow" {
      try await system.expectInstalledModule(in: Self.image, of: System.lts)
    } else {
      #expect(try await system.root.shell("cmp /before \(Self.image)").status == 0)
    }
    #expect(try await system.root.shell("ls /noted-*").status != 0, "nothing has followed yet")
    try await expectMended(by: next, on: system)
    let noted = try await system.root.shell(
      "sha256sum < \(Self.image) | cmp - /noted-initramfs-linux-lts.img")
    #expect(noted.status == 0, "\(noted)")
  }

  private func kill(_ command: String, at instant: String, on system: System) async throws {
    let run = try await system.root.run([
      "/bin/bash", "-c",
      """
      : > /halt-\(instant)
      \(command) &
      until [[ -e /reached ]] || ! kill -0 $!; do sleep 0.1; done
      kill -KILL $!
      wait $!
      echo "status $?"
      rm /halt-\(instant) /reached
      """,
    ])
    #expect(run.status == 0 && run.lines.last == "status 137", "\(run)")
  }

  private func expectMended(by command: String, on system: System) async throws {
    let run = try await system.root.run(["/bin/bash", "-c", command])
    #expect(run.status == 0, "\(run)")
    try await system.expectInstalledModule(in: Self.image, of: System.lts)
    let left = try await system.root.shell(
      """
      ls -A /boot | grep -v -x -e initramfs-linux-lts.img -e vmlinuz-linux-lts
      ls -A /var/lib/alpm-dkms/initramfs
      ls -d /tmp/alpm-dkms*
      true
      """)
    #expect(left.output.isEmpty, "\(left)")
    let again = try await system.root.run(["/bin/bash", "-c", command])
    #expect(again.status == 0 && !again.all.contains(": made"), "\(again)")
    let verdict = try await system.root.run(["alpm-dkms", "verify"])
    #expect(verdict.status == 0, "\(verdict)")
  }
}
