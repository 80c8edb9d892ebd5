// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

/// The suite itself comes and goes.
@Suite(.requiresPacman)
struct SuiteTests {
  private static let everything = [
    "alpm-dkms", "hello-world-dkms", "patched-dkms", "linux", "linux-headers", "linux-lts",
    "linux-lts-headers",
  ]

  /// A system that had its kernel and its module before it had the suite.
  private func withoutSuite() async throws -> System {
    let system = try await System.withLTSKernel()
    try await system.remove("alpm-dkms").mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
    return system
  }

  @Test func theFirstInstallationBuildsWhatIsThereAlready() async throws {
    let system = try await withoutSuite()
    try await system.pacman("-U", ["/suite.pkg.tar"]).mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }

  @Test func theSuiteArrivesTogetherWithAModuleAndAKernel() async throws {
    let system = try await withoutSuite()
    let packages = ["linux-rt", "linux-rt-headers", "v4l2loopback-dkms"].map(System.package)
    try await system.pacman("-U", ["/suite.pkg.tar"] + packages).mustSucceed()
    let modules = try await system.installedModules()
    #expect(modules.filter { $0.contains("/v4l2loopback.ko") }.count == 2)
    #expect(modules.filter { $0.contains("/hello_world.ko") }.count == 2)
    try await system.expectTidy()
  }

  @Test func reinstallationOfTheSuiteChangesNothing() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.root.shell(System.snapshot).output
    let run = try await system.pacman("-U", ["/suite.pkg.tar"])
    try run.mustSucceed()
    #expect(!run.all.contains(": built"), "\(run)")
    #expect(try await system.root.shell(System.snapshot).output == before)
  }

  @Test func theSuiteGoesAndTheModulesThatStayAreLeftAlone() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.root.shell(System.snapshot).output
    try await system.remove("alpm-dkms").mustSucceed()
    #expect(try await system.root.shell(System.snapshot).output == before)
  }

  @Test func everythingRemovedAtOnceLeavesOnlyNotes() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    try await system.pacman("-Rns", Self.everything).mustSucceed()
    #expect(try await system.listing("/usr/lib/modules").isEmpty)
    #expect(try await system.listing("/usr/src").isEmpty)
    // Like any log, it is there to be read when what wrote it has gone.
    let left = try await system.root.shell(
      "find /var/lib/dkms /var/lib/alpm-dkms -mindepth 1 -not -path '*/journal/*' | LC_ALL=C sort")
    #expect(left.lines == ["/var/lib/alpm-dkms/build-times", "/var/lib/alpm-dkms/journal"])
  }

  @Test func everythingButTheSuiteLeavesNothingEither() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    try await system.pacman("-Rns", Array(Self.everything.dropFirst())).mustSucceed()
    try await system.expectSettled([])
    #expect(try await system.listing("/usr/lib/modules").isEmpty)
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
  }

  @Test func settingsOfThePackageThatItReplacesGoOnApplying() async throws {
    let system = try await withoutSuite()
    try await system.install("dkms").mustSucceed()
    let setting = #"post_transaction="touch /ran""#
    try await system.root.shell("echo '\(setting)' >> /etc/dkms/framework.conf").mustSucceed()
    let arrival = try await system.pacman("-U", ["--ask", "4", "/suite.pkg.tar"])
    try arrival.mustSucceed()
    let said = "/etc/dkms/framework.conf.pacsave was renamed to /etc/dkms/framework.conf"
    #expect(arrival.all.contains(said), "\(arrival)")
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
    #expect(try await system.root.shell("ls /etc/dkms").lines == ["framework.conf", "framework.conf.d"])
    #expect(try await system.root.shell("ls /ran").status == 0)

    let departure = try await system.pacman("-U", ["--ask", "4", System.package("dkms")])
    try departure.mustSucceed()
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
    #expect(try await system.root.shell("cat /etc/dkms/*.pacsave").output.contains("touch /ran"))
  }

  /// Which module files a kernel has, and when they were written.
  private func files(of release: String, in system: System) async throws -> [String] {
    let run = try await system.root.shell(
      "cd /usr/lib/modules/\(release)/updates/dkms && stat -c '%n %i %Y' *")
    try run.mustSucceed()
    return run.lines
  }

  @Test func changingOverTogetherWithAKernelRebuildsNothingElse() async throws {
    let system = try await withoutSuite()
    try await system.install("dkms").mustSucceed()
    // What is there when the suite comes was made by the reference.
    try system.root.add("/usr/sbin/dkms", as: "reference/dkms")
    let call = ["/reference/dkms", "install", "hello-world/1.0", "-k", System.lts]
    try await system.root.run(call).mustSucceed()
    let before = try await files(of: System.lts, in: system)

    let kernel = ["linux", "linux-headers"].map(System.package)
    let arrival = try await system.pacman("-U", ["--ask", "4", "/suite.pkg.tar"] + kernel)
    try arrival.mustSucceed()
    #expect(arrival.all.contains("\(System.stable): built") && !arrival.all.contains("\(System.lts): built"))
    #expect(try await files(of: System.lts, in: system) == before)
    #expect(try await system.status() == System.installed("hello-world/1.0", System.lts, System.stable))
    try await system.expectTidy()

    let after = try await files(of: System.stable, in: system)
    let other = ["dkms", "linux-rt", "linux-rt-headers"].map(System.package)
    try await system.pacman("-U", ["--ask", "4"] + other).mustSucceed()
    #expect(try await files(of: System.lts, in: system) == before)
    #expect(try await files(of: System.stable, in: system) == after)
  }

  @Test func theNextVersionTogetherWithAKernelRebuildsNothingElse() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.root.shell(
      """
      set -e
      mkdir /next
      cd /next
      tar -xf /suite.pkg.tar
      sed -i 's/^pkgver = .*/pkgver = 99-1/' .PKGINFO
      tar -cf /next.pkg.tar .[A-Z]* *
      echo 'critical = hello-world' >> /etc/alpm-dkms.conf
      """
    ).mustSucceed()
    let before = try await files(of: System.lts, in: system)
    let kernel = ["linux", "linux-headers"].map(System.package)
    let run = try await system.pacman("-U", ["/next.pkg.tar"] + kernel)
    try run.mustSucceed()
    #expect(run.all.contains("\(System.stable): built"), "\(run)")
    #expect(!run.all.contains("\(System.lts): built"), "\(run)")
    #expect(try await files(of: System.lts, in: system) == before)
    #expect(try await system.root.shell("tail -n 1 /etc/alpm-dkms.conf").lines == ["critical = hello-world"])
    #expect(try await system.root.shell("pacman -Q alpm-dkms").lines == ["alpm-dkms 99-1"])
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts, System.stable))
  }

  @Test func hookFilesThatCallTheUsualScriptWork() async throws {
    let system = try await System.withLTSKernel()
    let script = "/usr/share/libalpm/scripts/dkms"
    try await system.root.shell(
      """
      mkdir -p /etc/pacman.d/hooks
      cd /usr/share/libalpm/hooks
      sed 's|^Exec = .*|Exec = \(script) install|' 70-dkms-install.hook > /etc/pacman.d/hooks/70-dkms-install.hook
      sed 's|^Exec = .*|Exec = \(script) -D remove|' 70-dkms-upgrade.hook > /etc/pacman.d/hooks/70-dkms-upgrade.hook
      """
    ).mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.1", System.lts))
    let wrong = try await system.root.shell("\(script) upgrade < /dev/null")
    #expect(wrong.status == 2 && wrong.all.contains("unknown action 'upgrade'"), "\(wrong)")
  }
}
