// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What Tab offers after `alpm-dkms`, whose completions the program writes itself.
@Suite(.requiresRoot)
struct AlpmCompletionTests {
  /// What bash offers for the last word of a call on a machine.
  private func offers(_ words: [String], on machine: MountedMachine) async throws -> [String] {
    let program = TestParts.program("alpm-dkms")
    let run = try await machine.shell(
      #"""
      mkdir /mnt/empty && cd /mnt/empty || exit
      PATH=$1:$PATH
      shift
      source <(alpm-dkms --generate-completion-script bash)
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${#COMP_LINE}
      _alpm-dkms alpm-dkms "${@: -1}" "${@: -2:1}"
      printf '%s\n' "${COMPREPLY[@]}"
      """#, [program.removingLastComponent().string, "alpm-dkms"] + words)
    #expect(run.status == 0 && run.errorOutput.isEmpty, "\(run)")
    return run.lines.filter { !$0.isEmpty }.map { $0.last == " " ? String($0.dropLast()) : $0 }.sorted()
  }

  @Test(
    "Kernels are those there are",
    arguments: [["verify", ""], ["verify", "6.1.0", ""], ["initramfs", "--explain", ""]])
  func kernels(_ words: [String]) async throws {
    let machine = try MountedMachine()
    for kernel in ["6.1.0", "6.12.1-arch1-1"] { try machine.addKernel(kernel, hasHeaders: false) }
    #expect(try await offers(words, on: machine) == ["6.1.0", "6.12.1-arch1-1"])
    #expect(try await offers(words.dropLast() + ["6.12"], on: machine) == ["6.12.1-arch1-1"])
  }

  @Test("Hooks, topics and transactions are offered")
  func words() async throws {
    let machine = try MountedMachine()
    #expect(
      try await offers(["replay", "--hook", ""], on: machine) == ["initramfs", "install", "remove", "verify"])
    #expect(try await offers(["replay", "--transaction", ""], on: machine) == ["last"])
    #expect(
      try await offers(["help", ""], on: machine) == [
        "cache", "doctor", "history", "initramfs", "prune", "reconcile", "record", "replay", "show", "verify",
      ])
    #expect(try await offers(["help", "ver"], on: machine) == ["verify"])
  }

  @Test("Records are offered by their numbers, and as files", arguments: ["show", "replay", "record"])
  func records(_ command: String) async throws {
    let machine = try MountedMachine()
    let program = TestParts.program("alpm-dkms")
    let run = try await machine.shell(
      #"""
      mount -t tmpfs none /var/lib && mkdir -p /var/lib/alpm-dkms/journal /mnt/files && cd /mnt/files || exit
      touch /var/lib/alpm-dkms/journal/{9,10}.json bundle.tar.gz copy.json notes.txt
      "$1" ---completion "$2" -- positional@0 2 0
      """#, [program.string, command])
    #expect(run.lines == ["10", "9", "bundle.tar.gz", "copy.json"], "\(run)")
  }

  @Test("zsh and fish are told the topics, too", arguments: ["zsh", "fish"])
  func topics(_ shell: String) async throws {
    let run = try await Run.program(
      TestParts.program("alpm-dkms"), ["--generate-completion-script", shell])
    #expect(run.output.contains("verify reconcile initramfs history show replay record doctor prune cache"))
  }
}
