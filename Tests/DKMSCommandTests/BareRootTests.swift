// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// `dkms` where /proc, /dev or both are missing, as in an image builder's root.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct BareRootTests {
  private static let kernel = Kernels.first

  /// What is hidden, by the mount points that then are empty.
  private static let missing = ["/proc", "/dev", "/proc /dev"]

  private func hide(_ places: String) -> String {
    "for place in \(places); do mount -t tmpfs none $place; done; "
  }

  @Test("Where mounts can be private, everything works, and nothing of it is left", arguments: missing)
  func mounted(_ places: String) async throws {
    let machine = try await Prepared.sources()
    let run = try await machine.shell(
      hide(places) + "dkms install hello-world/1.0 -k \(Self.kernel); status=$?; ls \(places); exit $status")
    #expect(run.status == 0 && !run.errorOutput.contains("ERROR"), "\(run)")
    #expect(machine.exists("modules/\(Self.kernel)/updates/dkms/hello_world.ko"))
    #expect(!run.output.contains("null") && !run.output.contains("self"), "\(run)")
    #expect(
      try machine.text("var/hello-world/1.0/\(Self.kernel)/x86_64/log/make.log").contains("# exit code: 0"))
  }

  /// A root that is an ordinary directory, in which nothing can be mounted that others would not see.
  private func chroot(_ places: String, _ command: String) -> String {
    """
    root=/mnt/root
    mkdir $root && cd $root
    for place in usr etc var opt; do [ ! -e /$place ] || { mkdir $place; mount --rbind /$place $place; }; done
    for link in bin lib lib64 sbin; do cp -a /$link $link 2> /dev/null; done
    mkdir -p tmp proc dev mnt
    cp /mnt/dkms mnt/
    for place in proc dev; do
      case " \(places) " in *" /$place "*) ;; *) mount --rbind /$place $place ;; esac
    done
    chroot $root /bin/bash -c 'dkms() { /mnt/dkms "$@"; }; \(command)'
    status=$?
    ls -A proc dev | grep -v ^[0-9] >&2
    exit $status
    """
  }

  @Test(
    "Where they cannot, what can do without goes on, and a build names what is missing", arguments: missing)
  func unmounted(_ places: String) async throws {
    let machine = try await Prepared.machine(.installed)
    let status = try await machine.shell(chroot(places, "dkms status quick -k \(Self.kernel)"))
    #expect(status.status == 0, "\(status)")
    #expect(status.output == "quick/1.0, \(Self.kernel), x86_64: installed\n", "\(status)")

    for action in ["uninstall", "install", "unbuild"] {
      let run = try await machine.shell(chroot(places, "dkms \(action) quick/1.0 -k \(Self.kernel)"))
      #expect(run.status == 0, "\(action): \(run)")
    }
    let build = try await machine.shell(chroot(places, "dkms build quick/1.0 -k \(Self.kernel)"))
    guard places.contains("/dev") else {
      #expect(build.status == 0, "\(build)")
      return
    }
    #expect(build.status != 0, "\(build)")
    for place in places.split(separator: " ") { #expect(build.errorOutput.contains(place), "\(build)") }
    #expect(try await machine.dkms("status quick").run.output == "quick/1.0: added\n")
  }

  @Test("A dkms.conf that bash has to read is read, and leaves no file in /dev")
  func bash() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick("shelly", "1.0", conf: "echo noise; case $kernelver in *) AUTOINSTALL=yes;; esac")
    let run = try await machine.shell(chroot("/proc /dev", "dkms add shelly/1.0"))
    #expect(run.status == 0 && !run.errorOutput.contains("null"), "\(run)")
  }
}
