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
