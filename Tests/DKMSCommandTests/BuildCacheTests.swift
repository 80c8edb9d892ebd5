// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// Real modules from the cache: what users see, and that no compiler runs.
@Suite(.requiresRoot, .requiresKernelHeaders, .timeLimit(.minutes(60)))
struct BuildCacheTests {
  private static let module = "hello-world/1.0"
  private static let installed = "modules/\(Kernels.first)/updates/dkms/hello_world.ko"

  /// A machine whose compilers, which come first in this environment, note that they are called.
  private func machine() async throws -> (MountedMachine, environment: [String: String]) {
    let machine = try await Prepared.sources()
    for name in ["gcc", "gcc-12", "cc"] {
      try machine.addScript(
        "echo $0 >> /etc/dkms/compiled\nexec /usr/bin/${0##*/} \"$@\"", at: "etc/compilers/\(name)")
    }
    // The kernel's build system asks its compiler for its version many times.
    return (machine, ["PATH": "/etc/dkms/compilers:/usr/sbin:/usr/bin:/sbin:/bin"])
  }

  private func compilers(_ machine: MountedMachine) throws -> Int {
    machine.exists("etc/compiled") ? try machine.text("etc/compiled").split(separator: "\n").count : 0
  }

  @Test("What is removed and installed again is the same, and starts no compiler")
  func again() async throws {
    let (machine, environment) = try await machine()
    let words = "install \(Self.module) -k \(Kernels.first)"
    let first = try await machine.dkms(words, environment: environment).expect(0)
    let module = try machine.bytes(Self.installed)
    let runs = try compilers(machine)
    #expect(runs > 0)
    try await machine.dkms("remove \(Self.module) --all", environment: environment).expect(0)
    let again = try await machine.dkms(words, environment: environment).expect(0)
    again.expectUnchanged(since: first.tree)
    #expect(again.lines.contains { $0.hasSuffix(": built, from the cache") }, "\(again)")
    #expect(try machine.bytes(Self.installed) == module)
    #expect(try compilers(machine) == runs)

    try await machine.dkms("remove \(Self.module) --all", environment: environment).expect(0)
    let force = "build --force \(Self.module) -k \(Kernels.first)"
    try await machine.dkms(force, environment: environment).expect(0)
    #expect(try compilers(machine) > runs)
  }

  @Test("What is signed from the cache is what was signed after the build")
  func signed() async throws {
    let machine = try await Prepared.sources()
    try machine.write("try_sign_modules=true\n", to: "etc/framework.conf")
    let words = "install \(Self.module) -k \(Kernels.first)"
    try await machine.dkms(words).expect(0)
    let module = try machine.bytes(Self.installed)
    #expect(module.suffix(28).elementsEqual("~Module signature appended~\n".utf8))
    try await machine.dkms("remove \(Self.module) --all").expect(0)
    let again = try await machine.dkms(words).expect(0)
    #expect(again.lines.contains { $0.hasSuffix(": built, from the cache") }, "\(again)")
    #expect(try machine.bytes(Self.installed) == module)

    // The key is no part of what is kept.
    try await machine.dkms("remove \(Self.module) --all").expect(0)
    for name in ["mok.key", "mok.pub"] { try machine.remove("var/\(name)") }
    let other = try await machine.dkms(words).expect(0)
    #expect(other.lines.contains { $0.hasSuffix(": built, from the cache") }, "\(other)")
    let signed = try machine.bytes(Self.installed)
    #expect(signed != module && signed.suffix(28).elementsEqual("~Module signature appended~\n".utf8))
  }

  @Test("What a user without privilege builds is kept by root, and is what root would build")
  func confined() async throws {
    let machine = try await Prepared.sources()
    try machine.addBuildUser()
    let words = "install \(Self.module) -k \(Kernels.first)"
    try await machine.dkms(words).expect(0)
    let module = try machine.bytes(Self.installed)
    let owners = try await Run.program(
      "/usr/bin/find", [machine.path("cache").string, "!", "-user", "root", "-o", "-perm", "/022"])
    #expect(owners.status == 0 && owners.lines == [], "\(owners)")
    try await machine.dkms("remove \(Self.module) --all").expect(0)
    let again = try await machine.dkms(words).expect(0)
    #expect(again.lines.contains { $0.hasSuffix(": built, from the cache") }, "\(again)")
    #expect(try machine.bytes(Self.installed) == module)
  }

  @Test(
    "A full disk, a read-only one and one without room are no failure, and keep nothing",
    arguments: [
      ("size=64m", true), ("size=4k", false), ("size=16k", false), ("ro", false), ("nr_inodes=4", false),
    ])
  func noRoom(_ options: String, _ isKept: Bool) async throws {
    let machine = try await Prepared.sources()
    let words = "install \(Self.module) -k \(Kernels.first)"
    let run = try await machine.shell(
      """
      mount -t tmpfs -o mode=700,\(options) tmpfs /var/cache/alpm-dkms && dkms \(words) && \
        dkms remove \(Self.module) --all && dkms \(words) && ls -A /var/cache/alpm-dkms
      """)
    #expect(run.status == 0, "\(run)")
    let complaints = run.errorOutput.split(separator: "\n").filter { !$0.contains("CLEAN is deprecated") }
    #expect(complaints == [], "\(run)")
    #expect(run.output.contains("from the cache") == isKept, "\(run)")
    #expect((run.lines.last?.utf8.count == 64) == isKept, "\(run)")
    if !isKept { #expect(run.lines.last?.hasPrefix("  -> ") == true, "something is left there: \(run)") }
  }

  @Test("A run that is killed while it keeps a build leaves nothing that counts")
  func killed() async throws {
    let machine = try await Prepared.sources()
    // A script that only the verbose call of cp for a whole directory passes: the tree of a POST_BUILD.
    try machine.addQuick(conf: "POST_BUILD=post.sh")
    try machine.addScript("exit 0", at: "src/quick-1.0/post.sh")
    try machine.addScript(
      #"[[ " $* " == *no-preserve* ]] && kill -9 $PPID; exec /usr/bin/cp "$@""#, at: "etc/tools/cp")
    let words = "build quick/1.0 -k \(Kernels.first)"
    let killed = try await machine.dkms(
      words, environment: ["PATH": "/etc/dkms/tools:/usr/sbin:/usr/bin:/sbin:/bin"])
    #expect(killed.status != 0)
    #expect(Disk.list(machine.path("cache")).allSatisfy { $0.hasPrefix("alpm-dkms-call.") })
    let next = try await machine.dkms(words).expect(0)
    #expect(!next.run.output.contains("from the cache"))
    #expect(Disk.list(machine.path("cache")).map(\.utf8.count) == [64])
    try await machine.dkms("unbuild quick/1.0 -k \(Kernels.first)").expect(0)
    let cached = try await machine.dkms(words).expect(0)
    #expect(cached.run.output.contains("built, from the cache"))
  }
}
