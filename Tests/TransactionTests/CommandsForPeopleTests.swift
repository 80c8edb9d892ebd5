// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What people ask afterwards, of systems that pacman has really changed.
@Suite(.requiresPacman)
struct CommandsForPeopleTests {
  @Test func theDoctorMendsWhatIsSafeAndThenFindsNothing() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let healthy = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(healthy.status == 0 && healthy.lines == ["==> Nothing is wrong"], "\(healthy)")

    let dependencies = "/usr/lib/modules/\(System.lts)/modules.dep"
    try await system.root.shell(
      """
      touch -d 2001-01-01 \(dependencies)
      chmod o+w /usr/src/hello-world-1.0/dkms.conf
      mkdir -p /usr/lib/modules/5.0.0/updates/dkms
      cp /usr/lib/modules/\(System.lts)/updates/dkms/hello_world.ko* /usr/lib/modules/5.0.0/updates/dkms
      """
    ).mustSucceed()
    let ill = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(ill.status == 2, "\(ill)")
    for subject in [System.lts, "/usr/src/hello-world-1.0", "/usr/lib/modules/5.0.0"] {
      #expect(ill.all.contains(subject), "\(ill)")
    }
    let mended = try await system.root.run(["alpm-dkms", "doctor", "--fix", "--yes"])
    #expect(mended.status == 0, "\(mended)")
    let again = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(again.status == 0 && again.lines == ["==> Nothing is wrong"], "\(again)")
    #expect(try await system.root.shell("test -e /usr/lib/modules/5.0.0").status != 0)
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
  }

  @Test func whatTheTreeHasLostIsNamedAndComesBackWithoutABuild() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let files = "find /usr/lib/modules/*/updates -name '*.ko*' -printf '%p %i %T@\\n'"
    let before = try await system.root.shell(files)
    try await system.root.shell("rm -rf /var/lib/dkms").mustSucceed()

    let lost = try await system.root.run(["alpm-dkms", "verify"])
    #expect(lost.status == 2 && lost.all.contains("hello-world/1.0"), "\(lost)")
    #expect(lost.lines.contains("     alpm-dkms reconcile"), "\(lost)")
    let ill = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(ill.status == 2 && ill.all.contains("alpm-dkms reconcile") && !ill.all.contains("rm "), "\(ill)")
    try await system.root.run(["alpm-dkms", "reconcile"]).mustSucceed()
    let found = try await system.root.run(["alpm-dkms", "verify"])
    #expect(found.status == 0 && found.all.contains("1 module in place"), "\(found)")
    let well = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(well.status == 0 && well.lines == ["==> Nothing is wrong"], "\(well)")
    #expect(try await system.root.shell(files).lines == before.lines)
    #expect(try await system.status() == System.installed("hello-world/1.0", System.lts))
    try await system.expectTidy()
  }

  @Test func pacmansLogGivesTheTargetsThatTheHookHad() async throws {
    let system = try await System.withLTSKernel()
    try await system.pacman(
      "-U", ["linux=.arch1-", "linux-headers=.arch1-", "hello-world-dkms=1.0-"].map(System.package)
    ).mustSucceed()
    let replayed = try await system.root.shell(
      """
      alpm-dkms replay --from-log --transaction last > /tmp/replay || exit
      sed -n '/^==> 70-dkms-install.hook, after/,/now it would:/s/^  \\([^ ].*[^:]\\)$/\\1/p' /tmp/replay > /tmp/targets
      diff /targets /tmp/targets || cat /tmp/replay
      """)
    #expect(replayed.status == 0 && replayed.all.isEmpty, "\(replayed)")
  }
}
