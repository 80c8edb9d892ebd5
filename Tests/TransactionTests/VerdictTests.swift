// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// The last words of a transaction, and that anybody can hear them again.
@Suite(.requiresPacman)
struct VerdictTests {
  private static let description = "Checking out-of-tree kernel modules..."

  /// What pacman printed of the verdict, to the end, with commands, which stand alone, after what they belong to.
  private func verdict(of run: Run) -> [String] {
    let lines = run.all.replacing("\n     ", with: " ").split(separator: "\n").map(String.init)
    guard let start = lines.lastIndex(where: { $0.hasSuffix(Self.description) }) else { return [] }
    return Array(lines[(start + 1)...])
  }

  private func verify(_ arguments: String..., in system: System) async throws -> Run {
    try await system.root.run(["alpm-dkms", "verify"] + arguments)
  }

  @Test func eachKernelIsBootableAsBefore() async throws {
    let system = try await System.withTwoKernels()
    let run = try await system.install("hello-world-dkms=1.0-")
    try run.mustSucceed()
    let lines = [System.lts, System.stable].map { "==> \($0): 1 module in place" }
    #expect(verdict(of: run) == lines, "\(run)")
    let again = try await verify(in: system)
    #expect(again.status == 0 && again.lines == lines && again.errorOutput.isEmpty, "\(again)")
    #expect(try await verify(System.lts, in: system).lines == [lines[0]])

    let removal = try await system.remove("hello-world-dkms")
    try removal.mustSucceed()
    #expect(verdict(of: removal).isEmpty, "nothing is left to speak of: \(removal)")
  }

  /// With several modules, and a dkms.conf that only bash understands: each question is asked once for a kernel.
  @Test(.requiresTracing, arguments: ["verify", "doctor"])
  func whatIsJudgedIsReadOnce(_ command: String) async throws {
    let system = try await System.withTwoKernels()
    for module in ["hello-world-dkms=1.0-", "patched-dkms", "dashes-dkms", "odd-conf-dkms"] {
      try await system.install(module).mustSucceed()
    }
    let run = try await system.root.shell(
      """
      strace -f -qq -e trace=openat,execve -s 4096 -o /tmp/trace alpm-dkms \(command) > /dev/null 2>&1
      grep -v ENOENT /tmp/trace | grep -oE '[^"]*/(Module.symvers|auto.conf|modules.dep)"' | sort | uniq -c
      grep -cE 'execve\\("[^"]*/bash", \\["bash", "--noprofile"' /tmp/trace
      """)
    let lines = run.lines.map { $0.split(separator: " ").map(String.init) }
    let evaluations = try #require(lines.last.flatMap { Int($0[0]) })
    #expect(evaluations == 2, "odd-conf, for two kernels: \(run)")
    let readings = lines.dropLast()
    #expect(readings.count == 6, "three files of two kernels: \(run)")
    for line in readings { #expect(line[0] == "1", "\(run)") }
  }

  @Test func anUpgradeThatFailsForOneKernelDegradesIt() async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    let run = try await system.install("hello-world-dkms=1.2-")
    #expect(run.status == 0)
    let lines = verdict(of: run)
    try #require(lines.count == 7, "\(run)")
    #expect(lines[0] == "==> \(System.lts): 1 module in place")
    #expect(lines[1] == "==> WARNING: \(System.stable): degraded, not every module is as it should be")
    #expect(lines[2].hasPrefix("  -> hello-world/1.2: its build failed: hello_world.c:"), "\(run)")
    let log = "/var/lib/dkms/hello-world/1.2/build/\(System.stable)-x86_64/make.log"
    for part in [
      "; hello-world/1.1 stays installed; ", "; its source is hello-world-dkms 1.2-", "; the log is \(log); ",
      "it is built for \(System.lts); ",
      "'IgnorePkg = linux linux-headers' in /etc/pacman.conf holds the kernel; ",
    ] { #expect(lines[2].contains(part), "\(run)") }
    #expect(lines[2].hasSuffix("; to try again: dkms install hello-world/1.2 -k \(System.stable)"), "\(run)")
    let failed = "error: command failed to execute correctly"
    #expect(lines[3] == "  -> to look for more that is wrong: alpm-dkms doctor")
    #expect(lines[4] == "  -> to report it: alpm-dkms record --bundle")
    #expect(lines[5...] == [failed, failed], "one for the hook that builds, one for the verdict")

    // The record stays whatever else happens, and ends when it is mended.
    let other = try await system.install("noauto-dkms")
    #expect(verdict(of: other).contains { $0.contains("hello-world/1.2: its build failed") }, "\(other)")
    #expect(try await verify(in: system).status == 2)
    let mended = try await system.install("hello-world-dkms=1.1-")
    try mended.mustSucceed()
    let wellLines = [System.lts, System.stable].map { "==> \($0): 1 module in place" }
    #expect(verdict(of: mended).starts(with: wellLines), "\(mended)")
  }

  @Test func aCriticalModuleThatFailsBlocksTheKernel() async throws {
    let system = try await System.withTwoKernels()
    try await system.root.shell("echo 'critical = broken' >> /etc/alpm-dkms.conf").mustSucceed()
    let run = try await system.install("broken-dkms")
    #expect(run.status == 0)
    let lines = verdict(of: run)
    for release in [System.lts, System.stable] {
      #expect(
        lines.contains("==> ERROR: \(release): blocked, do not boot it before this is fixed"), "\(run)")
      #expect(
        lines.contains { line in
          line.hasPrefix("  -> broken/1.0 (critical): its build failed: broken.c:")
            && line.hasSuffix("; to try again: dkms install broken/1.0 -k \(release)")
        }, "\(run)")
    }
    #expect(lines.last == "error: command failed to execute correctly")
    let json = try await verify("--json", in: system)
    #expect(json.status == 3 && json.output.contains(#""standing": "blocked""#), "\(json)")

    try await system.remove("broken-dkms").mustSucceed()
    let nameless = try await verify(in: system)
    #expect(nameless.all.contains("critical = broken"), "\(nameless)")
    try await system.root.shell("sed -i '/^critical = broken$/d' /etc/alpm-dkms.conf").mustSucceed()
    #expect(try await verify(in: system).status == 0)
  }

  @Test func missingHeadersAreNamedByTheirPackage() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let run = try await system.install("linux-rt")
    #expect(run.status == 0 && run.reportsFailedHook, "\(run)")
    #expect(
      verdict(of: run).dropLast() == [
        "==> \(System.lts): 1 module in place",
        "==> WARNING: \(System.realtime): degraded, not every module is as it should be",
        "  -> hello-world/1.0: it cannot be built: the headers of this kernel are missing; "
          + "to fix it: pacman -S linux-rt-headers",
        "  -> to look for more that is wrong: alpm-dkms doctor",
        "  -> to report it: alpm-dkms record --bundle",
      ], "\(run)")
    let mended = try await system.install("linux-rt-headers")
    try mended.mustSucceed()
    #expect(verdict(of: mended).contains("==> \(System.realtime): 1 module in place"), "\(mended)")
  }

  @Test func whatHappensToTheTreeIsSeenWithoutATransaction() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let module = "/usr/lib/modules/\(System.lts)/updates/dkms/hello_world.ko"
    for (change, finding, remedy) in [
      ("rm \(module)*", "missing from the kernel's directory", "dkms install --force"),
      ("truncate -s 100 \(module)*", "not a kernel module", "dkms build --force"),
      (": > /usr/lib/modules/\(System.lts)/modules.dep", "not named in modules.dep", "depmod"),
    ] {
      try await system.root.shell(change).mustSucceed()
      let run = try await verify(in: system)
      #expect(run.status == 2 && run.output.contains(finding), "\(run)")
      let command = String((run.lines.last ?? "").drop { $0 == " " })
      #expect(command.hasPrefix(remedy), "\(run)")
      try await system.root.shell(command).mustSucceed()
      let mended = try await verify(in: system)
      #expect(mended.status == 0, "\(change): \(mended)")
    }
  }

  @Test func theHookTakesPackagesForTargetsAsWell() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let run = try await system.root.run(
      ["/usr/lib/alpm-dkms/alpm-dkms-verify"], input: Array("hello-world-dkms\nlinux-lts\n".utf8))
    #expect(run.status == 0 && run.lines == ["==> \(System.lts): 1 module in place"], "\(run)")
  }
}
