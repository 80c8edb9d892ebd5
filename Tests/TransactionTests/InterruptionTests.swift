// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import TestSupport
import Testing

/// A helper that is told to end, or killed, in the middle of a build.
@Suite(.requiresPacman)
struct InterruptionTests {
  /// Starts the helper on a build that would take hours, sends it a signal, and prints how it ended.
  ///
  /// The number of seconds tells apart the builds of tests that run side by side, in whatever checkout.
  private static func interrupt(with signal: String, seconds: Int) -> String {
    """
    echo usr/src/slow-1/dkms.conf > /targets
    /usr/lib/alpm-dkms/alpm-dkms-install < /targets &
    helper=$!
    for try in $(seq 6000); do
      ! pgrep -f 'sleep \(seconds)$' > /dev/null || break
      sleep 0.1
    done
    kill -\(signal) $helper
    wait $helper
    echo "status $?"
    """
  }

  private static let manySeconds = 100_000_000 + 10 * Int(getpid())

  private static func slowModule(_ seconds: Int) -> String {
    """
    mkdir -p /usr/src/slow-1
    cat > /usr/src/slow-1/dkms.conf <<'CONF'
    PACKAGE_NAME=slow
    PACKAGE_VERSION=1
    MAKE[0]="make -f Makefile.slow"
    DEST_MODULE_LOCATION[0]=/extra
    AUTOINSTALL=yes
    CONF
    printf 'all:\\n\\tsleep \(seconds)\\n' > /usr/src/slow-1/Makefile.slow
    """
  }

  @Test(arguments: [("INT", manySeconds + 1), ("TERM", manySeconds + 2)])
  func aSignalEndsTheBuildWithItsChildren(signal: String, seconds: Int) async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell(Self.slowModule(seconds)).mustSucceed()
    let run = try await system.root.run([
      "/bin/bash", "-c",
      "set -m\n" + Self.interrupt(with: signal, seconds: seconds) + "\npgrep -f 'sleep \(seconds)$'",
    ])
    #expect(run.lines.contains("status 130"), "\(run)")
    #expect(run.lines.last == "status 130", "no child outlives the helper: \(run)")
    #expect(run.all.contains("interrupted"), "\(run)")
    #expect(try await system.status() == ["slow/1: added"])
    try await system.expectTidy()
  }

  @Test func whatAKilledRunLeavesIsClearedAwayByTheNext() async throws {
    let seconds = Self.manySeconds + 3
    let system = try await System.withLTSKernel()
    try await system.root.shell(Self.slowModule(seconds)).mustSucceed()
    let killed = try await system.root.run([
      "/bin/bash", "-c", Self.interrupt(with: "KILL", seconds: seconds),
    ])
    #expect(killed.lines.contains("status 137"), "\(killed)")
    // Who is killed leaves the killing to another, who needs a moment.
    let isOver = try await eventually { processes(with: "\(seconds)").isEmpty }
    #expect(isOver, "no child outlives the helper")
    let leftovers = "find /var/lib/dkms -name '.tmp_*'"
    #expect(
      try await !system.root.shell(leftovers).output.isEmpty, "the kill came while something was half made")
    // The next transaction would mend this one, which takes hours.
    try await system.root.shell("sed -i /AUTOINSTALL/d /usr/src/slow-1/dkms.conf").mustSucceed()
    let next = try await system.install("hello-world-dkms=1.0-")
    #expect(next.status == 0 && !next.all.contains("==> ERROR:"), "\(next)")
    #expect(try await system.root.shell(leftovers).output.isEmpty)
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }

  // MARK: pacman itself

  /// A module that waits for hours as long as /slow is there: when it is built, or before it is installed.
  private static func patientModule(_ seconds: Int, at step: String = "MAKE[0]") -> String {
    let wait = "usr/src/patient-1/wait"
    let build = "make -C ${kernel_source_dir} M=${dkms_tree}/patient/1/build"
    let (command, script) = step == "MAKE[0]" ? ("./wait && \(build)", "") : (build, "\(step)=wait")
    let source = System.source(
      "patient", "1", modules: ["patient"], extra: "MAKE[0]='\(command)'\n\(script)")
    return """
      \(source)
      printf '#!/bin/sh\\n[ ! -e /slow ] || exec sleep \(seconds)\\n' > \(wait)
      chmod +x \(wait)
      """
  }

  @Test func aKeyPressEndsTheHookAndTheNextTransactionMends() async throws {
    let seconds = Self.manySeconds + 4
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let package = try await system.makePackage(
      "patient-dkms", content: Self.patientModule(seconds))
    // What a terminal does on ^C: the signal goes to every process of the group.
    let pressed = try await system.root.run([
      "/bin/bash", "-c",
      """
      set -m
      touch /slow
      pacman --noconfirm -U \(package) &
      for try in $(seq 6000); do
        ! pgrep -f 'sleep \(seconds)$' > /dev/null || break
        sleep 0.1
      done
      kill -INT -$!
      wait $!
      echo "status $?"
      rm /slow
      pgrep -f 'sleep \(seconds)$'
      """,
    ])
    #expect(pressed.lines.last == "status 0", "pacman goes on, and no child is left: \(pressed)")
    #expect(pressed.reportsFailedHook && pressed.all.contains("interrupted"), "\(pressed)")
    #expect(try await system.root.run(["pacman", "-Q", "patient-dkms"]).status == 0)
    #expect(
      try await system.status() == System.installed("hello-world/1.0", System.lts) + ["patient/1: added"])
    try await system.expectTidy()

    try await system.install("noauto-dkms").mustSucceed()
    try await system.expectSettled(
      System.installed("hello-world/1.0", System.lts) + ["noauto/2.0: added"]
        + System.installed("patient/1", System.lts))
  }

  /// Another release of the package brings another source of the same version, and the disk does not tell what came of it.
  @Test(arguments: [("MAKE[0]", manySeconds + 5), ("PRE_INSTALL", manySeconds + 6)])
  func aKilledHookIsResumedByTheNextTransaction(step: String, seconds: Int) async throws {
    let system = try await System.withTwoKernels()
    let source = Self.patientModule(seconds, at: step)
    let first = try await system.makePackage("patient-dkms", "1-1", content: source)
    try await system.pacman("-U", [first]).mustSucceed()
    let marked = try await system.makePackage(
      "patient-dkms", "1-2",
      content: source + "\necho 'MODULE_INFO(mark, \"second\");' >> usr/src/patient-1/patient.c")
    // Of pacman's children the helper of the hook that is at work is the only one.
    let killed = try await system.root.run([
      "/bin/bash", "-c",
      """
      touch /slow
      pacman --noconfirm -U \(marked) &
      until pgrep -f 'sleep \(seconds)$' > /dev/null || ! kill -0 $!; do sleep 0.1; done
      pkill -KILL -P $!
      wait $!
      rm /slow
      """,
    ])
    #expect(killed.all.contains("command terminated by signal 9"), "\(killed)")
    let mark = { (release: String) in
      try await system.root.run(["modinfo", "-k", release, "-F", "mark", "patient"]).output
    }
    #expect(try await mark(System.stable).isEmpty)

    let next = try await system.install("noauto-dkms")
    #expect(next.all.contains("did not finish its work; this one finishes it"), "\(next)")
    for release in [System.lts, System.stable] { #expect(try await mark(release) == "second\n") }
    try await system.expectSettled(
      ["noauto/2.0: added"] + System.installed("patient/1", System.lts, System.stable))
  }

  @Test func aFullDiskEndsTheTransactionAndTheNextOneMends() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-", "patched-dkms").mustSucceed()
    let filler = try await system.makePackage(
      "filler", information: ["depend = hello-world-dkms", "conflict = patched-dkms"],
      content: "mkdir -p opt/small && head -c 1000000 /dev/zero > opt/small/zeros")
    let full = try await system.root.shell(
      """
      mkdir -p /opt/small && mount -t tmpfs -o size=64k none /opt/small
      pacman --noconfirm -U --ask 4 \(System.package("hello-world-dkms=1.1-")) \(filler)
      """)
    #expect(
      full.status != 0 && !full.all.contains("Updating out-of-tree"), "Post hooks have not run: \(full)")
    #expect(
      try await system.root.run(["pacman", "-Q", "hello-world-dkms"]).lines == ["hello-world-dkms 1.1-1"])
    #expect(try await system.root.run(["pacman", "-Q", "patched-dkms"]).status != 0)
    for release in [System.lts, System.stable] {
      try await system.expectInstalled("hello_world", "1.0", for: release)
    }

    try await system.install("noauto-dkms").mustSucceed()
    try await system.expectSettled(
      System.installed("hello-world/1.1", System.lts, System.stable) + ["noauto/2.0: added"])
  }
}
