// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import TestSupport
import Testing

/// What a build has started ends with it, however that comes, and with `dkms`.
@Suite(.requiresRoot, .requiresKernelHeaders, .timeLimit(.minutes(60)))
struct ProcessTreeTests {
  /// A machine with a module whose build starts processes that resist, each with the marker for its name.
  ///
  /// One ignores what asks it to end, one is its child, and one is a daemon: in a session of its own, no
  /// longer a descendant, with the log and a file of its own open. `end` is what the build does then.
  private func machine(marker: String, end: String) async throws -> MountedMachine {
    let machine = try await Prepared.machine(.added)
    try machine.addQuick(conf: #"MAKE[0]="./grow; ${MAKE[0]}""#)
    try machine.addScript(
      """
      trap '' TERM INT HUP
      (setsid bash -c 'exec -a \(marker)-daemon sleep 300' 3> daemon-file &)
      (exec -a \(marker)-child sleep 300) &
      for name in daemon child; do
        until grep -qs \(marker)-$name /proc/[0-9]*/cmdline; do sleep 0.05; done
      done
      : > /etc/dkms/grown
      \(end)
      """, at: "src/quick-1.0/grow")
    return machine
  }

  /// Calls `dkms`, waits until all that is to be started has been, and sends the signal.
  ///
  /// pacman waits until its hook's output has no writer; so does the pipe here.
  private func interrupt(
    _ words: String, with signal: String, on machine: MountedMachine, as user: MountedMachine.User = .root
  ) async throws -> Run {
    try await machine.shell(
      """
      set -m -o pipefail
      {
        /mnt/dkms \(words) -k \(Kernels.first) &
        until [[ -e /etc/dkms/grown ]] || ! kill -0 $!; do sleep 0.05; done
        kill -\(signal) $!
        wait $!
      } 2>&1 | cat
      """, as: user)
  }

  /// Checks that nothing with the marker is left.
  private func expectOver(_ marker: String) async throws {
    // Who is killed leaves the killing to another, who needs a moment.
    let isOver = try await eventually { processes(with: marker).isEmpty }
    #expect(isOver, "\(processes(with: marker)) are left")
  }

  @Test("A signal ends all of it", arguments: [("INT", 130), ("TERM", 130), ("HUP", 130), ("KILL", 137)])
  func signalled(_ signal: String, _ status: Int32) async throws {
    let marker = "tree-\(signal)-\(getpid())"
    let machine = try await machine(marker: marker, end: "exec -a \(marker) sleep 300")
    let before = machine.tree
    let run = try await interrupt("build quick/1.0", with: signal, on: machine)
    #expect(run.status == status, "\(run)")
    #expect(machine.exists("etc/grown"))
    try await expectOver(marker)
    try machine.remove("etc/grown")
    if signal != "KILL" {
      #expect(machine.tree.filter { $0.contains("tmp_") } == [])
      #expect(run.output.contains("interrupted"), "\(run)")
    }
    try machine.remove("src/quick-1.0/grow")
    try machine.addQuick()
    try await machine.dkms("build quick/1.0 -k \(Kernels.first)").expect(0)
    try await machine.dkms("unbuild quick/1.0 -k \(Kernels.first)").expect(0)
    #expect(Set(machine.tree).subtracting(before).filter { $0.hasPrefix("var/") } == [])
  }

  @Test("Nothing is left when the build ends by itself", arguments: [("", 0), ("kill -KILL $$", 0)])
  func ended(_ end: String, _ status: Int32) async throws {
    let marker = "ended-\(end.isEmpty ? "well" : "badly")-\(getpid())"
    let machine = try await machine(marker: marker, end: end)
    try await machine.dkms("build quick/1.0 -k \(Kernels.first)").expect(status)
    #expect(machine.exists("etc/grown"))
    #expect(processes(with: marker).isEmpty)
  }

  @Test("A script of an installation ends with dkms", arguments: ["INT", "KILL"])
  func script(_ signal: String) async throws {
    let marker = "script-\(signal)-\(getpid())"
    let machine = try await Prepared.machine(.built)
    try machine.addQuick(conf: "PRE_INSTALL=wait")
    try machine.addScript(
      "trap '' TERM INT HUP; (exec -a \(marker) sleep 300) & : > /etc/dkms/grown; wait",
      at: "src/quick-1.0/wait")
    let before = machine.tree
    let run = try await interrupt("install quick/1.0", with: signal, on: machine)
    #expect(run.status == (signal == "KILL" ? 137 : 130), "\(run)")
    try await expectOver(marker)
    try machine.remove("etc/grown")
    #expect(machine.tree == before)
  }

  @Test(
    "Without namespaces, which only root may make, a build still ends with dkms", arguments: ["INT", "KILL"])
  func unprivileged(_ signal: String) async throws {
    let marker = "user-\(signal)-\(getpid())"
    let machine = try await Prepared.machine(.added)
    try machine.addQuick(conf: #"MAKE[0]="./grow""#)
    try machine.addScript(
      "trap '' TERM INT HUP; (exec -a \(marker) sleep 300) & : > /etc/dkms/grown; wait",
      at: "src/quick-1.0/grow")
    #expect(try await machine.shell("chmod -R a+rwX /var/lib/dkms /etc/dkms").status == 0)
    let run = try await interrupt("build quick/1.0", with: signal, on: machine, as: .nobody)
    #expect(run.status == (signal == "KILL" ? 137 : 130), "\(run)")
    #expect(machine.exists("etc/grown"))
    try await expectOver(marker)
  }
}
