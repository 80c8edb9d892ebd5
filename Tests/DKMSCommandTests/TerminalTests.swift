// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

/// What `dkms` prints on a terminal.
@Suite(.requiresShells)
struct TerminalTests {
  /// What comes out of a terminal on which a shell command is run.
  private func run(_ command: String) async throws -> String {
    let program = TestParts.program("dkms").string
    let run = try await Run.program(
      "/usr/bin/script",
      ["-qec", "export TERM=xterm; dkms() { \(program) \"$@\"; }; \(command)", "/dev/null"],
      environment: ["SHELL": "/bin/bash"])
    return run.output
  }

  @Test("Errors and warnings are coloured as those of alpm-dkms")
  func colors() async throws {
    #expect(try await run("dkms isntall").contains("\u{1B}[31m==> ERROR:\u{1B}[0m unknown action 'isntall'"))
    let warning = try await run("dkms status --no-initrd")
    #expect(warning.contains("\u{1B}[33m==> WARNING:\u{1B}[0m --no-initrd is deprecated"), "\(warning)")
  }

  @Test(
    "There is no colour where it is not wanted, or where standard output is no terminal",
    arguments: [
      "NO_COLOR=1 dkms isntall", "TERM=dumb dkms isntall", "dkms isntall | cat", "dkms isntall > /dev/null",
    ])
  func plain(_ command: String) async throws {
    let output = try await run(command)
    #expect(output.contains("==> ERROR: unknown action 'isntall'") && !output.contains("\u{1B}"), "\(output)")
  }

  @Test("Lines that scripts know stay whole on a narrow terminal")
  func lines() async throws {
    let output = try await run("COLUMNS=20 dkms isntall")
    #expect(output.contains("unknown action 'isntall'; did you mean install?"), "\(output)")
  }
}

/// The line that tells on a terminal what is being built.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct LiveLineTests {
  private let id = "slow/1.0"
  private var build: String { "dkms build \(id) -k \(Kernels.first)" }

  /// A machine with a module whose build waits for words on the terminal; for none, it waits for nothing.
  private func machine(waitingFor words: String?) async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    let wait = words.map { "until grep -q '\($0)' /etc/dkms/terminal; do sleep 0.05; done; " } ?? ""
    try machine.addQuick("slow", conf: "MAKE[0]=\"\(wait)${MAKE[0]}\"")
    return machine
  }

  /// What comes out of a terminal in the machine.
  private func run(_ command: String, columns: Int = 80, on machine: MountedMachine) async throws -> String {
    let words = "export TERM=xterm; stty cols \(columns); dkms() { /mnt/dkms \"$@\"; }; \(command)"
    let run = try await machine.shell(
      #"script -qefc "$1" /etc/dkms/terminal"#, [words], environment: ["SHELL": "/bin/bash"])
    #expect(run.status == 0, "\(run)")
    return run.output
  }

  /// What is left to read of a build.
  private var result: [String] { ["  -> \(id): added", "  -> \(id) for \(Kernels.first): built"] }

  @Test(
    "It fits, and nothing of it is left",
    arguments: [(40, ""), (200, ""), (40, "export NO_COLOR=1; "), (200, "export NO_COLOR=1; ")])
  func live(_ columns: Int, _ setting: String) async throws {
    let machine = try await machine(waitingFor: "0/1 built: \(id)")
    let screen = Screen(try await run(setting + build, columns: columns, on: machine))
    let subject = columns == 40 ? id : "\(id) for \(Kernels.first)"
    #expect(!screen.erased.isEmpty, "\(screen)")
    for line in screen.erased {
      #expect(line.hasPrefix("0/1 built: \(subject) ") && line.count < columns, "\(screen)")
    }
    #expect(screen.lines.count == 3 && screen.lines[0] == result[0] && screen.lines[2] == "", "\(screen)")
    #expect(screen.lines[1].hasPrefix("\(result[1]) ("), "\(screen)")
    #expect(screen.escapes == [Screen.erasure], "\(screen)")
  }

  @Test(
    "There is none where nobody reads it, or where it would be in the way",
    arguments: ["TERM=dumb BUILD", "BUILD | cat", "BUILD > /dev/null", "BUILD --quiet", "BUILD --verbose"])
  func none(_ command: String) async throws {
    let machine = try await machine(waitingFor: nil)
    let screen = Screen(try await run(command.replacing("BUILD", with: build), on: machine))
    #expect(screen.escapes.isEmpty && screen.erased.isEmpty, "\(screen)")
    let isSilent = command.contains("null") || command.contains("quiet")
    let lines = screen.lines.filter { !$0.hasPrefix("#") }
    #expect(lines == (isSilent ? [""] : result + [""]), "\(screen)")
  }

  @Test("Results are printed above it")
  func results() async throws {
    let machine = try await machine(waitingFor: "1/2 built: \(id)")
    let wait = "until grep -q '0/2 built: ' /etc/dkms/terminal; do sleep 0.05; done"
    try machine.addQuick("other", conf: "MAKE[0]=\"\(wait); ${MAKE[0]}\"")
    for id in [id, "other/1.0"] { try await machine.dkms("add \(id)").expect(0) }
    let screen = Screen(try await run("dkms autoinstall -j 2 -k \(Kernels.first)", on: machine))
    let subjects = screen.lines.map { $0.split(separator: " (").first.map(String.init) ?? "" }
    let expected = ["other/1.0", id].flatMap { id in
      ["built", "installed"].map { "  -> \(id) for \(Kernels.first): \($0)" }
    }
    #expect(
      subjects == expected + ["  -> \(Kernels.first): module dependencies updated", ""], "\(screen)")
    #expect(screen.erased.contains { $0.hasPrefix("0/2 built: ") }, "\(screen)")
    #expect(screen.erased.contains { $0.hasPrefix("1/2 built: \(id) for ") }, "\(screen)")
  }
}
