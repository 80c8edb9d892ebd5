// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// Where the reference does harm we do not; each test shows both.
///
/// Mistakes of actions and hooks that the reference at hand does not have are in the tests of ours.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct ReferenceMistakeTests {
  private static let (first, second) = (Kernels.first, Kernels.second)

  @Test(
    "Two runs of one module share a build directory", arguments: [MountedMachine.Program.ours, .reference])
  func sharedBuildDirectory(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: #"MAKE[0]="./wait-for-the-other $kernelver; ${MAKE[0]}""#)
    // A build that goes on when the other run has begun its own.
    try machine.addScript(
      "touch /etc/dkms/begun-$1; for try in {1..3000}; do set -- /etc/dkms/begun-*; (($# < 2)) || exit 0; sleep 0.1; done",
      at: "src/quick-1.0/wait-for-the-other")
    try await machine.dkms("add quick/1.0", by: program).expect(0)
    let run = try await machine.shell(
      """
      dkms build quick/1.0 -k \(Self.first) > /dev/null 2>&1 & one=$!
      while [[ ! -e /etc/dkms/begun-\(Self.first) ]]; do sleep 0.05; done
      dkms build quick/1.0 -k \(Self.second) > /dev/null 2>&1
      other=$?
      wait $one
      echo "$? $other"
      """, by: program)
    #expect((run.lines.last == "0 0") == (program == .ours), "\(run)")
  }

  @Test(
    "A MAKE_MATCH that matches nothing runs another module's command",
    arguments: [MountedMachine.Program.ours, .reference])
  func unmatchedMake(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick("a", "1.0")
    try machine.addQuick(
      "b", "1.0", conf: "MAKE_MATCH[0]='^nothing'\nBUILT_MODULE_NAME[0]=a\nDEST_MODULE_NAME[0]=b")
    for id in ["a/1.0", "b/1.0"] { try await machine.dkms("add \(id)", by: program).expect(0) }
    try await machine.dkms("autoinstall -k \(Self.first)", by: program).expect(11)
    // Ours is the generic command, which finds no Makefile.
    let log = try machine.text("var/b/1.0/build/make.log")
    #expect(log.contains("/usr/src/prebuilt") == (program == .reference), "\(log)")
  }

  @Test(
    "A name that leads out of the source tree removes what it finds there",
    arguments: [MountedMachine.Program.ours, .reference])
  func outsideSourceTree(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.write("precious", to: "src/outside-1.0/file")
    try machine.write("", to: "src/tree/.keep")
    try machine.write(
      """
      PACKAGE_NAME=../outside
      PACKAGE_VERSION=1.0
      BUILT_MODULE_NAME=quick
      DEST_MODULE_LOCATION=/extra

      """, to: "src/hostile/dkms.conf")
    let outcome = try await machine.dkms(
      "add --force /usr/src/hostile --sourcetree /usr/src/tree", by: program)
    #expect(machine.exists("src/outside-1.0/file") == (program == .ours))
    if program == .ours { outcome.expect(8, says: ["'../outside'"]) }
  }

  @Test("depmod does not see another install tree", arguments: [MountedMachine.Program.ours, .reference])
  func otherInstallTree(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.machine(.built)
    // The same kernel in both trees, so that the wrong one is there to be taken.
    try machine.write("", to: "modules/other/\(Self.first)/modules.dep")
    try machine.write("", to: "modules/other/\(Self.first)/modules.order")
    try machine.write("", to: "modules/other/\(Self.first)/modules.builtin")
    try Files.link(
      machine.path("modules/other/\(Self.first)/build"), to: TestParts.headers(of: Self.first))
    let words = "install quick/1.0 -k \(Self.first) --installtree /usr/lib/modules/other"
    try await machine.dkms(words, by: program).expect(0)
    #expect(machine.exists("modules/other/\(Self.first)/updates/dkms/quick.ko"))
    let dependencies = try machine.text("modules/other/\(Self.first)/modules.dep")
    #expect(dependencies.contains("quick.ko") == (program == .ours), "\(dependencies)")
  }

  @Test(
    "A build by force that fails takes the good one away",
    arguments: [MountedMachine.Program.ours, .reference])
  func failedRebuild(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.addQuick(conf: "MAKE[0]=false")
    let words = "build quick/1.0 -k \(Self.first) --force"
    try await machine.dkms(words, by: program).expect(10)
    let module = "var/quick/1.0/\(Self.first)/x86_64/module/quick.ko"
    #expect(machine.exists(module) == (program == .ours))
  }

  @Test("status starts programs for each row", arguments: [MountedMachine.Program.ours, .reference])
  func processes(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    var counts: [Int] = []
    for row in 1...10 {
      try machine.addQuick("quick\(row)", "1.0")
      try await machine.dkms("install quick\(row)/1.0 -k \(Self.first) --no-depmod").expect(0)
      if row == 1 || row == 10 { counts.append(try await processes(of: "status", by: program, in: machine)) }
    }
    // Threads count as well, and how many of them run is the system's choice.
    #expect((counts[1] - counts[0] < 20) == (program == .ours), "\(counts)")
  }

  /// How many processes and threads a call starts, itself among them: the numbers given in a namespace of its own.
  private func processes(of words: String, by program: MountedMachine.Program, in machine: MountedMachine)
    async throws
    -> Int
  {
    let run = try await machine.shell(
      """
      unshare --pid --fork --mount-proc bash -c \
        '/mnt/dkms \(words) > /dev/null || exit; cat /proc/sys/kernel/ns_last_pid'
      """, by: program)
    try #require(run.status == 0, "\(run)")
    return try #require(run.lines.last.flatMap { Int($0) }, "\(run)")
  }
}
