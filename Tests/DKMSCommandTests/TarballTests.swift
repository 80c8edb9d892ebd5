// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Modules that come and go in tarballs and directories, through the command.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct TarballTests {
  private static let (first, second) = (Kernels.first, Kernels.second)

  /// Calls `dkms` in a directory of the machine.
  private func dkms(_ words: String, in directory: String, of machine: MountedMachine) async throws -> Run {
    try await machine.shell("cd \(directory) && dkms \(words)")
  }

  private func installed(_ kernel: String) -> String { "quick/1.0, \(kernel), x86_64: installed" }

  /// Takes the module away from a machine, with its source.
  private func forget(_ machine: MountedMachine) async throws {
    try await machine.dkms("remove quick/1.0 --all --no-depmod").expect(0)
    try machine.remove("src/quick-1.0")
  }

  // MARK: Both ways

  @Test(
    "What one writes the other loads", .requiresReference,
    arguments: [MountedMachine.Program.ours, .reference])
  func interchange(_ writer: MountedMachine.Program) async throws {
    let machine = try await Prepared.machine(.installed)
    try await machine.dkms("mktarball quick/1.0 -k \(Self.first) --archive=/usr/src/q.tar.gz", by: writer)
      .expect(0)
    try await forget(machine)
    let loader: MountedMachine.Program = writer == .ours ? .reference : .ours
    try await machine.dkms("ldtarball /usr/src/q.tar.gz", by: loader).expect(0)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Self.first), x86_64: built"])
    #expect(Disk.linkTarget(machine.path("var/quick/1.0/source"))?.string == "/usr/src/quick-1.0")
    try await machine.dkms("install quick/1.0 -k \(Self.first)", by: writer).expect(0)
    try await machine.dkms("status", by: loader).expect(0, output: [installed(Self.first)])
  }

  @Test("Source alone, builds alone, and both", arguments: ["--source-only", "--binaries-only", ""])
  func contents(_ option: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try await machine.dkms("build quick/1.0 -k \(Self.first) -k \(Self.second)").expect(0)
    let written = try await machine.dkms("mktarball quick/1.0 --all \(option)").expect(0)
    let name = try #require(
      written.tree.first { $0.hasPrefix("var/quick/1.0/tarball/") && $0.hasSuffix(".dkms.tar.gz") })
    #expect(name.contains("source-only") == (option == "--source-only"))
    #expect(name.contains("kernel\(Self.first)-x86_64-kernel\(Self.second)") == (option != "--source-only"))
    try await machine.shell("mv /var/lib/dkms/quick/1.0/tarball/* /usr/src/q.dkms.tar.gz").mustEndWell()
    try await forget(machine)
    try await machine.dkms("ldtarball /usr/src/q.dkms.tar.gz").expect(0)
    let built = [Self.first, Self.second].map { "quick/1.0, \($0), x86_64: built" }
    try await machine.dkms("status").expect(
      0, output: option == "--source-only" ? ["quick/1.0: added"] : built)
    #expect(machine.exists("src/quick-1.0/file") == (option != "--binaries-only"))
    try await machine.dkms("install quick/1.0 -k \(Self.first)").expect(0)
    try await machine.dkms("remove quick/1.0 --all").expect(0)
    #expect(machine.tree.filter { $0.hasPrefix("var/quick") }.isEmpty)
  }

  @Test("A name for the tarball goes to the usual place, a path to where it leads")
  func names() async throws {
    let machine = try await Prepared.machine(.built)
    let words = "mktarball quick/1.0 -k \(Self.first)"
    for (name, place) in [
      ("--archive q.tar.xz", "var/quick/1.0/tarball/q.tar.xz"), ("--archive ./q.tar.gz", "src/q.tar.gz"),
      ("", "var/quick/1.0/tarball/quick-1.0-kernel\(Self.first)-x86_64.dkms.tar.gz"),
    ] {
      let run = try await dkms("\(words) \(name)", in: "/usr/src", of: machine)
      #expect(run.status == 0, "\(run)")
      #expect(machine.exists(place), "\(run)")
    }
  }

  // MARK: Statuses

  @Test("What cannot be written has the reference's status")
  func cannotBeWritten() async throws {
    let machine = try await Prepared.machine(.built)
    let before = machine.tree
    for (words, status, text) in [
      ("mktarball", 1, "NAME/VERSION"), ("mktarball nothing/1.0", 3, "not in the tree"),
      ("mktarball quick/1.0 -k \(Self.second)", 6, Self.second),
      ("mktarball quick/1.0 -k \(Self.first) --archive=/proc/nowhere/q.tar", 9, "/proc/nowhere"),
    ] as [(String, Int32, String)] {
      try await machine.dkms(words).expect(status, says: [text]).expectUnchanged(since: before)
    }
  }

  @Test("What cannot be loaded has the reference's status")
  func cannotBeLoaded() async throws {
    let machine = try await Prepared.machine(.built)
    try await machine.dkms("mktarball quick/1.0 -k \(Self.first) --archive=/usr/src/q.tar.gz").expect(0)
    try await machine.shell("tar -cf /usr/src/plain.tar -C /usr/src/prebuilt .").mustEndWell()
    try machine.write("junk", to: "src/junk.tar.gz")
    let before = machine.tree
    for (words, status, text) in [
      ("ldtarball", 2, "FILE"), ("ldtarball /usr/src/nowhere.tar", 2, "nowhere.tar"),
      ("ldtarball /usr/src/plain.tar", 3, "dkms.conf"), ("ldtarball /usr/src/junk.tar.gz", 3, "junk.tar.gz"),
      ("ldtarball /usr/src/q.tar.gz", 8, "quick/1.0"), ("add /usr/src/q.tar.gz", 8, "quick/1.0"),
      ("add /usr/src/quick-1.0", 3, "quick/1.0"),
    ] as [(String, Int32, String)] {
      try await machine.dkms(words).expect(status, says: [text]).expectUnchanged(since: before)
    }
    // Which kernel of that release another machine has built it for is not known here.
    let after = before.filter { !$0.hasSuffix("/.kernel") }
    try await machine.dkms("ldtarball /usr/src/q.tar.gz --force").expect(0).expectUnchanged(since: after)
    try await machine.dkms("ldtarball /usr/src/q.tar.gz", as: .nobody).expect(1, says: ["sudo"])
      .expectUnchanged(since: after)
  }

  // MARK: Sources elsewhere

  @Test(
    "A source from elsewhere is brought in, by whatever it is named",
    arguments: ["add", "build -k F", "install -k F"],
    ["/etc/dkms/there", "/etc/dkms/there/dkms.conf", "there", "./there/dkms.conf", "plain.tar.gz"])
  func sources(_ action: String, _ operand: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(in: "etc")
    try await machine.shell(
      "cd /etc/dkms && mv quick-1.0 there && tar -czf plain.tar.gz there"
    ).mustEndWell()
    let words = "\(action.replacing("F", with: Self.first)) \(operand)"
    let run = try await dkms(words, in: "/etc/dkms", of: machine)
    #expect(run.status == 0, "\(run)")
    #expect(machine.exists("src/quick-1.0/file"))
    let state = ["add": "quick/1.0: added", "build -k F": "quick/1.0, \(Self.first), x86_64: built"][action]
    try await machine.dkms("status").expect(0, output: [state ?? installed(Self.first)])
    #expect(
      Disk.list("/tmp").filter {
        $0.hasPrefix("alpm-dkms.") && Disk.list(FilePath("/tmp/\($0)")).contains("there")
      }.isEmpty)
  }

  @Test("A dry run tells it and brings nothing in")
  func dryRun() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(in: "etc")
    let before = machine.tree
    let outcome = try await machine.dkms("install /etc/dkms/quick-1.0 -k \(Self.first) --dry-run")
    outcome.expect(
      0,
      output: [
        "  -> quick/1.0: its source would be put into the source tree",
        "  -> quick/1.0: would be added, its source is /usr/src/quick-1.0",
        "  -> quick/1.0 for \(Self.first): would be built",
        "  -> quick/1.0 for \(Self.first): would be installed",
        "  -> \(Self.first): module dependencies would be updated",
      ]
    ).expectUnchanged(since: before)
  }

  @Test("So do dry runs of mktarball and ldtarball")
  func dryRunOfTarballs() async throws {
    let machine = try await Prepared.machine(.built)
    let file = "/var/lib/dkms/quick/1.0/tarball/q.tar.gz"
    let before = machine.tree
    let make = "mktarball quick/1.0 -k \(Self.first) --archive"
    try await machine.dkms("\(make) q.tar.gz --dry-run")
      .expect(0, output: ["  -> quick/1.0: would be written to \(file)"]).expectUnchanged(since: before)
    try await machine.dkms("\(make) /usr/src/q.tar.gz").expect(0)
    try await forget(machine)
    let gone = machine.tree
    try await machine.dkms("ldtarball /usr/src/q.tar.gz --dry-run").expect(
      0,
      output: [
        "  -> quick/1.0: its source would be put into the source tree",
        "  -> quick/1.0: would be added, its source is /usr/src/quick-1.0",
        "  -> quick/1.0 for \(Self.first): the build that comes with it would be loaded",
      ]
    ).expectUnchanged(since: gone)
  }

  // MARK: Hostile ones

  @Test(
    "A tarball that leads out of itself writes nothing", arguments: [MountedMachine.Program.ours, .reference])
  func hostile(_ loader: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.write("precious", to: "src/precious")
    // A link to a directory, and a file through it: as tar itself would not write it twice.
    try await machine.shell(
      """
      mkdir -p /etc/dkms/a/dkms_source_tree /etc/dkms/b/dkms_main_tree/6.0/x86_64 && cd /etc/dkms &&
      printf 'PACKAGE_NAME=evil\\nPACKAGE_VERSION=1\\nBUILT_MODULE_NAME=e\\nDEST_MODULE_LOCATION=/extra\\n' \
        > a/dkms_source_tree/dkms.conf &&
      ln -s /usr/src/precious b/dkms_main_tree/6.0/x86_64/module && mkdir a/dkms_main_tree &&
      tar -cf evil.tar -C a . -C ../b . && rm -r a b
      """
    ).mustEndWell()
    let before = machine.tree
    let outcome = try await machine.dkms("ldtarball /etc/dkms/evil.tar", by: loader)
    if loader == .ours {
      outcome.expect(3, says: ["evil.tar", "dkms_main_tree/6.0/x86_64/module"]).expectUnchanged(since: before)
    } else {
      #expect(outcome.tree.contains("var/evil/1/6.0/x86_64/module -> /usr/src/precious"), "\(outcome)")
    }
  }
}

extension Run {
  /// Stops a test whose preparation has failed.
  fileprivate func mustEndWell(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try #require(status == 0, "\(self)", sourceLocation: sourceLocation)
  }
}
