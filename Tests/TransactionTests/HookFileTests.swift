// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Hooks that pacman runs otherwise than our files say: masked, replaced, by package names, in another root.
@Suite(.requiresPacman)
struct HookFileTests {
  // MARK: The administrator's own hooks

  @Test func aMaskedHookDoesNothingAndTheNextTransactionCatchesUp() async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell("ln -s /dev/null /etc/pacman.d/hooks/70-dkms-install.hook").mustSucceed()
    let masked = try await system.install("hello-world-dkms=1.0-")
    #expect(masked.status == 0, "\(masked)")
    #expect(!masked.all.contains("Updating out-of-tree"), "\(masked)")
    #expect(masked.all.contains("hello-world/1.0: it is neither registered nor installed"), "\(masked)")
    #expect(try await system.status().isEmpty)
    #expect(try await system.listing("/var/lib/dkms").isEmpty)
    try await system.expectTidy()

    try await system.root.shell("rm /etc/pacman.d/hooks/70-dkms-install.hook").mustSucceed()
    try await system.install("noauto-dkms").mustSucceed()
    try await system.expectSettled(
      System.installed("hello-world/1.0", System.lts) + ["noauto/2.0: added"])
  }

  @Test func withoutTheHookBeforeTransactionsTheLastGoodModuleStaysAllTheSame() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await system.root.shell(
      "for hook in 70-dkms-upgrade 71-dkms-remove; do ln -s /dev/null /etc/pacman.d/hooks/$hook.hook; done"
    ).mustSucceed()
    let upgrade = try await system.install("hello-world-dkms=1.2-")
    #expect(upgrade.all.contains("hello-world/1.1 stays installed for \(System.stable)"), "\(upgrade)")
    try await system.expectInstalled("hello_world", "1.1", for: System.stable)
    try await system.expectInstalled("hello_world", "1.2", for: System.lts)

    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts, System.stable))
    try await system.remove("hello-world-dkms").mustSucceed()
    try await system.expectSettled([])
  }

  @Test func aFileOfTheSameNameInALaterDirectoryWins() async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell(
      """
      sed 's|^Exec = .*|Exec = /usr/bin/touch /own-hook-ran|; /^NeedsTargets/d' \
        /usr/share/libalpm/hooks/70-dkms-install.hook > /etc/pacman.d/hooks/70-dkms-install.hook
      """
    ).mustSucceed()
    let run = try await system.install("hello-world-dkms=1.0-")
    #expect(run.status == 0, "\(run)")
    #expect(run.all.contains("hello-world/1.0: it is neither registered nor installed"), "\(run)")
    #expect(try await system.root.run(["test", "-e", "/own-hook-ran"]).status == 0)
    #expect(try await system.status().isEmpty)
  }

  // MARK: Package names as targets

  @Test func hooksWithPackageNamesWorkAsThoseWithPaths() async throws {
    let system = try await System.withTwoKernels()
    try await system.root.shell(
      """
      for hook in 70-dkms-install 70-dkms-upgrade 71-dkms-remove; do
        sed -e 's/^Type = Path/Type = Package/' -e '/^Target = /d' \
          -e '/^Type/a Target = hello-world-dkms\\nTarget = linux\\nTarget = linux-headers' \
          /usr/share/libalpm/hooks/$hook.hook > /etc/pacman.d/hooks/$hook.hook
      done
      sed -i -e 's/^Type = Path/Type = Package/' -e '/^Target = /d' -e '/^Type/a Target = *' \
        /etc/pacman.d/hooks/90-note-targets.hook
      """
    ).mustSucceed()
    let hello = { (patch: Int, release: String) in
      System.installed("hello-world/1.\(patch)", System.lts, release)
    }
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.expectSettled(hello(0, System.stable))
    try await system.install("linux=.arch2-", "linux-headers=.arch2-").mustSucceed()
    try await system.expectSettled(hello(0, System.stableUpgrade))
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    try await system.expectSettled(hello(1, System.stableUpgrade))
    let failing = try await system.install("hello-world-dkms=1.2-")
    #expect(failing.reportsFailedHook, "\(failing)")
    try await system.expectSettled(
      System.installed("hello-world/1.1", System.stableUpgrade)
        + System.installed("hello-world/1.2", System.lts), again: 1)
    try await system.remove("linux", "linux-headers").mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.2", System.lts))
    #expect(try await system.kernelDirectories() == [System.lts])
    try await system.remove("hello-world-dkms").mustSucceed()
    try await system.expectSettled([])
  }

  // MARK: Another root

  @Test func pacmanWorksOnAnotherRoot() async throws {
    let system = try await System.withTwoKernels()
    let hidden = ["usr/lib/alpm-dkms", "usr/lib/modules", "usr/share/libalpm", "usr/src"]
    let empty = ["var/lib/dkms", "var/lib/pacman"]
    // The machine that pacman runs on has neither kernels, nor modules, nor this suite.
    let machine = """
      mkdir /other
      mount --rbind / /other
      for directory in \((hidden + empty).joined(separator: " ")); do mount -t tmpfs none /$directory; done
      mkdir /var/lib/pacman/local
      pacman --noconfirm --root /other $operation
      find /usr/src /usr/lib/modules /var/lib/dkms -mindepth 1
      """
    let run = { (operation: String) in
      try await system.root.shell("operation='\(operation)'\n\(machine)\numount -l /other && rmdir /other")
    }
    let installation = try await run("-U \(System.package("hello-world-dkms=1.0-"))")
    try installation.mustSucceed()
    #expect(installation.lines.allSatisfy { !$0.hasPrefix("/") }, "\(installation)")
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts, System.stable))
    let removal = try await run("-R linux linux-headers")
    try removal.mustSucceed()
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts))
    #expect(try await system.kernelDirectories() == [System.lts])
  }

  // MARK: libalpm in the middle of a transaction

  /// What becomes of a file $file of libalpm, and of the links to it in its $directory.
  @Test(arguments: [
    "rm $directory/libalpm.so*",
    // The next version, by its name and by what it calls itself.
    """
    LC_ALL=C sed 's/libalpm[.]so[.][0-9][0-9]/libalpm.so.99/g' $file > $directory/new
    rm $directory/libalpm.so*
    mv $directory/new $directory/libalpm.so.99
    """,
    "echo broken > $directory/new && mv $directory/new $file",
  ])
  func aTransactionTakesLibalpmAway(change: String) async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let upgrade = try await system.makePackage(
      "pacman-upgrade",
      scriptlet: """
        post_install() {
          for directory in /usr/lib /usr/lib/*-linux-gnu; do
            file=$(find $directory -maxdepth 1 -name 'libalpm.so.*' -type f)
            [ -n "$file" ] || continue
            \(change)
          done
        }
        """,
      content: "mkdir -p usr/share/pacman-upgrade")
    // Its kernel goes too, which only the package database can tell.
    let run = try await system.pacman(
      "-U", [upgrade, System.package("linux=.arch2-"), System.package("linux-headers=.arch2-")])
    try run.mustSucceed()
    #expect(try await system.root.run(["pacman", "--version"]).status != 0, "libalpm is really of no use")
    try await system.expectSettled(System.installed("hello-world/1.0", System.lts, System.stableUpgrade))
  }
}
