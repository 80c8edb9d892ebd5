// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Runs of `dkms` that are killed before each change they make, one after the other.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresTracing)
struct KillTests {
  private static let kernel = Kernels.first
  private static let target = "quick/1.0 -k \(kernel) --no-depmod"

  /// A module that is in the way, where ours goes.
  private static let original = "modules/\(kernel)/updates/dkms/quick.ko"

  /// What goes wrong in a call.
  enum Accident: CaseIterable {
    case kill, fullDisk
  }

  /// Lets something go wrong at each change that a call makes, does something then, and checks what there is in the end.
  private func everywhere(
    _ accident: Accident = .kill, in words: String, where isMeant: (String) -> Bool = { _ in true },
    on machine: MountedMachine,
    then body: @escaping @Sendable (MountedMachine, MountedMachine.Change) async throws -> Void
  ) async throws {
    let changes = try await machine.changes(by: words).filter { $0.path.map(isMeant) == true }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for change in changes {
        group.addTask {
          let copy = try await machine.copy()
          switch accident {
          case .kill: try await copy.dkms(words, killedBefore: change)
          case .fullDisk: try await copy.dkms(words, withoutRoomFor: change)
          }
          try await body(copy, change)
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(
    "No module that was in the way is lost, wherever an installation or a removal ends early and whatever comes next",
    arguments: [
      (Accident.kill, "install", ["install", "uninstall"]), (.kill, "install", ["unbuild"]),
      (.kill, "uninstall", ["install --force", "uninstall"]), (.kill, "unbuild", ["unbuild"]),
      (.fullDisk, "uninstall", ["uninstall"]),
    ])
  func originals(_ accident: Accident, _ action: String, _ following: [String]) async throws {
    let machine = try await Prepared.machine(.built)
    try machine.write("somebody else's", to: Self.original)
    let undisturbed = try await machine.copy()
    if action != "install" { try await machine.dkms("install \(Self.target)").expect(0) }
    if following.contains("unbuild") { try await undisturbed.dkms("unbuild \(Self.target)").expect(0) }
    try await everywhere(accident, in: "\(action) \(Self.target)", on: machine) { machine, change in
      // The kernel has either one at every moment.
      if action == "install" { #expect(machine.exists(Self.original), "\(change)") }
      for action in following { try await machine.dkms("\(action) \(Self.target)").expect(0) }
      #expect(machine.tree == undisturbed.tree, "\(change)")
      #expect((try? machine.text(Self.original)) == "somebody else's", "\(change)")
    }
  }

  @Test("What a killed installation has put into the kernel is nobody's original, though the product changes")
  func undeclared() async throws {
    let machine = try await Prepared.machine(.built)
    let before = machine.tree
    let link = "/var/lib/dkms/quick/.kernel-\(Self.kernel)-x86_64.alpm-dkms-new"
    try await machine.dkms("install \(Self.target)", killedBefore: .init(call: "symlink", path: link))
    #expect(machine.exists("modules/\(Self.kernel)/updates/dkms/quick.ko"))
    try machine.addQuick(conf: "STRIP=no\nMAKE[0]=\"${MAKE[0]} && echo >> quick.ko\"")
    for action in ["build --force", "install", "uninstall"] {
      try await machine.dkms("\(action) \(Self.target)").expect(0)
    }
    #expect(machine.tree == before)
  }

  @Test("Wherever a build is killed, the next one leaves all as if there had been none before")
  func build() async throws {
    let machine = try await Prepared.machine(.added)
    let product = "/var/lib/dkms/quick/1.0/\(Self.kernel)/x86_64"
    try machine.addQuick(conf: "POST_BUILD=after")
    try machine.addScript(": > \(product)/log/after", at: "src/quick-1.0/after")
    // The one before has failed.
    try machine.write("error\n", to: "var/quick/1.0/build/\(Self.kernel)-x86_64/make.log")
    let words = "build quick/1.0 -k \(Self.kernel)"
    let undisturbed = try await machine.copy()
    try await undisturbed.dkms(words).expect(0)
    // What tools do in the copy of the source is their affair.
    try await everywhere(in: words, where: { !$0.contains("_build/") }, on: machine) { machine, change in
      try await machine.dkms(words).expect(0)
      #expect(machine.tree == undisturbed.tree, "\(change)")
    }
  }

  // MARK: Tarballs

  /// A machine that has nothing of the module but a tarball, and that unpacks tarballs within itself.
  private func machineWithTarball() async throws -> MountedMachine {
    let machine = try await Prepared.machine(.built)
    try await machine.dkms("mktarball quick/1.0 -k \(Self.kernel) --archive=/usr/src/q.tar.gz").expect(0)
    try await machine.dkms("remove quick/1.0 --all --no-depmod").expect(0)
    try machine.remove("src/quick-1.0")
    try machine.write("try_sign_modules=false\ntmp_location=/etc/dkms/tmp\n", to: "etc/framework.conf")
    try machine.write("", to: "etc/tmp/somebody's")
    return machine
  }

  @Test(
    "Wherever the loading of a tarball is killed, the next one completes it and nothing of either is left")
  func loading() async throws {
    let machine = try await machineWithTarball()
    let undisturbed = try await machine.copy()
    try await undisturbed.dkms("ldtarball /usr/src/q.tar.gz").expect(0)
    try await everywhere(in: "ldtarball /usr/src/q.tar.gz", on: machine) { machine, change in
      #expect(machine.tree.contains { $0.hasPrefix("etc/tmp/alpm-dkms") }, "\(change): it was at work")
      try await machine.dkms("ldtarball /usr/src/q.tar.gz --force").expect(0)
      // The next run would clear it away.
      let isEmptyBuild = { (path: String) in path == "var/quick/1.0/build/" }
      #expect(
        machine.tree.filter { !isEmptyBuild($0) } == undisturbed.tree.filter { !isEmptyBuild($0) },
        "\(change)")
    }
  }

  @Test("What a run that is at work has unpacked stays, whatever others begin meanwhile")
  func atWork() async throws {
    let machine = try await machineWithTarball()
    try machine.addScript(
      ": > /etc/dkms/reached; until [[ -e /etc/dkms/go ]]; do sleep 0.05; done", at: "etc/quick/wait")
    try machine.write("POST_ADD=wait\n", to: "etc/quick.conf")
    let run = try await machine.shell(
      """
      dkms ldtarball /usr/src/q.tar.gz &
      until [[ -e /etc/dkms/reached ]] || ! kill -0 $!; do sleep 0.05; done
      ls -d /etc/dkms/tmp/alpm-dkms*
      dkms add hello-world/1.0
      : > /etc/dkms/go
      wait $!
      """)
    #expect(run.status == 0 && run.output.contains("/etc/dkms/tmp/alpm-dkms"), "\(run)")
    try await machine.dkms("status").expect(
      0, output: ["hello-world/1.0: added", "quick/1.0, \(Self.kernel), x86_64: built"])
    #expect(machine.tree.filter { $0.hasPrefix("etc/tmp/") } == ["etc/tmp/", "etc/tmp/somebody's"])
  }

  @Test("What a killed mktarball leaves beside its goal goes with the next one")
  func writing() async throws {
    let machine = try await Prepared.machine(.built)
    for goal in ["/usr/src/out/q.tar.gz", "/var/lib/dkms/quick/1.0/tarball/q.tar.gz"] {
      let words = "mktarball quick/1.0 -k \(Self.kernel) --archive=\(goal)"
      try await machine.dkms(words, killedBefore: .init(call: "rename", path: nil))
      let isLeft = { (path: String) in path.contains("/alpm-dkms-call") }
      #expect(machine.tree.contains(where: isLeft))
      try await machine.dkms(words).expect(0)
      #expect(!machine.tree.contains(where: isLeft))
    }
  }
}
