// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Kernels and headers that come, change and go while a module is installed.
@Suite(.requiresPacman)
struct KernelTests {
  private static let hello = "hello-world/1.0"

  // MARK: Upgrades

  @Test func anUpgradeMovesTheModuleToTheNewRelease() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.install("linux=.arch2-", "linux-headers=.arch2-").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stableUpgrade))
    try await system.expectInstalled("hello_world", "1.0", for: System.stableUpgrade)
    #expect(try await !system.kernelDirectories().contains(System.stable))
  }

  @Test func aKernelThatIsUpgradedBeforeItsHeaders() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let first = try await system.install("linux=.arch2-")
    #expect(first.status == 0 && first.reportsFailedHook, "the kernel lacks its module: \(first)")
    #expect(first.all.contains("the headers of kernel \(System.stableUpgrade) are missing"), "\(first)")
    try await system.expectSettled(System.installed(Self.hello, System.lts), isDegraded: true)
    try await system.install("linux-headers=.arch2-").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stableUpgrade))
    #expect(try await system.kernelDirectories() == [System.lts, System.stableUpgrade])
  }

  @Test func headersThatAreUpgradedBeforeTheirKernel() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.install("linux-headers=.arch2-").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stable))
    try await system.install("linux=.arch2-").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stableUpgrade))
    #expect(try await system.kernelDirectories() == [System.lts, System.stableUpgrade])
  }

  // MARK: Reinstallation, and other kernels of the same release

  @Test func reinstallationChangesNothing() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let before = try await system.root.shell(System.snapshot).output
    for packages in [["linux-lts"], ["linux-lts-headers"], ["hello-world-dkms=1.0-"]] {
      let run = try await system.pacman("-U", packages.map(System.package))
      try run.mustSucceed()
      #expect(run.all.contains(": built") == packages[0].hasPrefix("hello"), "\(run)")
      #expect(try await system.root.shell(System.snapshot).output == before, "\(packages)")
    }
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stable))
  }

  @Test func aKernelRebuiltUnderItsReleaseGetsItsModulesAnew() async throws {
    let system = try await System.withLTSKernel()
    let release = "6.1.0-same"
    let first = try await system.makeKernel("linux-same", release: release)
    try await system.pacman("-U", first).mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let sum = "sha256sum /usr/lib/modules/\(release)/updates/dkms/*"
    let before = try await system.root.shell(sum).output

    let again = try await system.pacman("-U", first)
    #expect(!again.all.contains(": built"), "\(again)")
    let second = try await system.makeKernel("linux-same", release: release, build: 2)
    let upgrade = try await system.pacman("-U", second)
    try upgrade.mustSucceed()
    #expect(
      upgrade.all.contains("hello-world/1.0 for \(release): installed (the kernel is new or changed)"),
      "\(upgrade)")
    #expect(!upgrade.all.contains("for \(System.lts)"), "\(upgrade)")
    #expect(try await system.root.shell(sum).output != before)
    try await system.expectSettled(System.installed(Self.hello, release, System.lts))
  }

  // MARK: Headers alone

  @Test func headersThatGoAloneTakeNoModuleWithThem() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.remove("linux-lts-headers").mustSucceed()
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stable))
  }

  @Test func aKernelWithoutHeadersIsSkippedAndThePackageNamed() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("linux-rt").mustSucceed()
    let run = try await system.install("hello-world-dkms=1.0-")
    #expect(run.status == 0 && run.reportsFailedHook, "a kernel lacks its module: \(run)")
    #expect(run.all.contains("==> WARNING: the headers of kernel \(System.realtime) are missing"), "\(run)")
    #expect(run.all.contains("pacman -S linux-rt-headers"), "\(run)")
    try await system.expectSettled(System.installed(Self.hello, System.lts), isDegraded: true)

    try await system.install("linux-rt-headers").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.realtime))
  }

  // MARK: The kernel that runs

  @Test func modulesOfTheRunningKernelStayUntilTheNextBoot() async throws {
    let system = try await System.withLTSKernel()
    let running = try await system.root.run(["uname", "-r"]).lines[0]
    try await system.pacman("-U", try await system.makeKernel("linux-running", release: running))
      .mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let both = System.installed(Self.hello, System.lts, running).sorted()

    let removal = try await system.remove("linux-running", "linux-running-headers")
    try removal.mustSucceed()
    #expect(removal.all.contains("\(running): its modules stay until the next boot"), "\(removal)")
    try await system.expectSettled(both)
    try await system.expectInstalled("hello_world", "1.0", for: running)
    // Other transactions of this boot leave it alone.
    try await system.install("noauto-dkms").mustSucceed()
    try await system.expectSettled(both + ["noauto/2.0: added"])

    // Another boot, by its identifier and by what uname says.
    let boot = """
      echo another > /boot-id
      mount --bind /boot-id /proc/sys/kernel/random/boot_id
      setarch --uname-2.6 pacman --noconfirm -R noauto-dkms
      """
    try await system.root.shell(boot).mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts))
    #expect(try await system.kernelDirectories() == [System.lts])
    #expect(try await system.listing("/var/lib/alpm-dkms").filter { $0.hasPrefix("booted/") }.isEmpty)
  }

  @Test func theRunningKernelComesBackInTheSameBoot() async throws {
    let system = try await System.withLTSKernel()
    let running = try await system.root.run(["uname", "-r"]).lines[0]
    let kernel = try await system.makeKernel("linux-running", release: running)
    try await system.pacman("-U", kernel).mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.remove("linux-running", "linux-running-headers").mustSucceed()
    try await system.pacman("-U", kernel).mustSucceed()
    try await system.root.shell(
      "echo another > /boot-id && mount --bind /boot-id /proc/sys/kernel/random/boot_id && "
        + "setarch --uname-2.6 pacman --noconfirm -U \(System.package("noauto-dkms"))"
    ).mustSucceed()
    try await system.expectSettled(
      System.installed(Self.hello, System.lts, running).sorted() + ["noauto/2.0: added"])
  }

  // MARK: Kernels that no package owns

  /// Directories as kernels leave them behind, with all that a build would need.
  private static func makeOrphans(_ count: Int) -> String {
    """
    for number in $(seq 10 \(9 + count)); do
      directory=/usr/lib/modules/6.0.$number-orphan
      mkdir -p $directory/kernel $directory/updates/dkms
      touch $directory/modules.order $directory/updates/dkms/other.ko
      ln -s /usr/lib/modules/\(System.lts)/build $directory/build
    done
    """
  }

  @Test func nothingIsBuiltForOrphansAndTheyAreReportedOnce() async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell(Self.makeOrphans(14)).mustSucceed()
    let orphans = "cd /usr/lib/modules && find *-orphan -printf '%p %l %T@\\n'"
    let before = try await system.root.shell(orphans).output
    let first = try await system.install("hello-world-dkms=1.0-")
    try first.mustSucceed()
    let report = first.all.split(separator: "\n").filter { $0.contains("-orphan") }
    #expect(report.count == 1 && report.first?.contains("no package owns these kernels") == true, "\(first)")
    #expect((10...23).allSatisfy { first.all.contains("6.0.\($0)-orphan") }, "\(first)")
    #expect(try await system.status() == System.installed(Self.hello, System.lts))

    for run in [
      try await system.install("noauto-dkms"), try await system.install("linux-lts", "linux-lts-headers"),
      try await system.remove("noauto-dkms", "hello-world-dkms"),
    ] {
      try run.mustSucceed()
      #expect(!run.all.contains("-orphan"), "\(run)")
    }
    #expect(try await system.root.shell(orphans).output == before, "nothing of them has changed")
    #expect(try await system.status().isEmpty)
  }

  @Test func kernelsThatNoPackageOwnsCountWhereThereAreNoOthers() async throws {
    let system = try await System.withLTSKernel()
    // The files stay, the packages are forgotten.
    try await system.pacman("-R", ["--dbonly", "linux-lts", "linux-lts-headers"]).mustSucceed()
    let run = try await system.install("hello-world-dkms=1.0-")
    try run.mustSucceed()
    #expect(!run.all.contains("no package owns"), "\(run)")
    try await system.expectSettled(System.installed(Self.hello, System.lts))
  }

  @Test func aKernelWithoutPackageBaseOrImageIsOneAllTheSame() async throws {
    let system = try await System.withLTSKernel()
    let release = "6.1.0-bare"
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let packages = try await system.makeKernel("linux-bare", release: release, bare: true)
    try await system.pacman("-U", packages).mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, release, System.lts))
    try await system.remove("linux-bare", "linux-bare-headers").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts))
    #expect(try await system.kernelDirectories() == [System.lts])
  }

  // MARK: kmod's own hook

  @Test(arguments: [true, false])
  func kernelsGoWhole(withHooksOfKmod: Bool) async throws {
    let system = try await System.withTwoKernels()
    if !withHooksOfKmod { try await system.pacman("-Rdd", ["kmod-hooks"]).mustSucceed() }
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts, System.stable))
    try await system.remove("linux", "linux-headers").mustSucceed()
    try await system.expectSettled(System.installed(Self.hello, System.lts))
    #expect(try await system.kernelDirectories() == [System.lts])
  }
}
