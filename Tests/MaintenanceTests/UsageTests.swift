// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What alpm-dkms answers to a call that it does not understand.
struct UsageTests {
  @Test(
    "An error in the arguments has the form of all errors, and names the word",
    arguments: [
      (["frobnicate"], "frobnicate"), (["verify", "--frobnicate"], "--frobnicate"),
      (["show", "x", "y"], "y"),
      (["replay", "--transaction", "first"], "--transaction"), (["record", "-o"], "-o"),
    ])
  func errors(_ arguments: [String], _ word: String) async throws {
    let run = try await Run.program(TestParts.program("alpm-dkms"), arguments)
    #expect(run.status == 64 && run.output.isEmpty, "\(run)")
    #expect(run.errorOutput.hasPrefix("==> ERROR: ") && run.errorOutput.contains(word), "\(run)")
    #expect(run.errorOutput.hasSuffix("     alpm-dkms --help\n"), "\(run)")
  }

  @Test(
    "A typo gets the call as it may have been meant",
    arguments: [
      (["verfy", "6.1 x"], "unknown command 'verfy'; did you mean verify?", "verify '6.1 x'"),
      (["help", "docter"], "unknown command 'docter'; did you mean doctor?", "help doctor"),
      (["verify", "--jsn"], "unknown option --jsn; did you mean --json?", "verify --json"),
      (
        ["replay", "3", "--excute"], "unknown option --excute; did you mean --execute?", "replay 3 --execute"
      ),
      (["replay", "--form-log"], "unknown option --form-log; did you mean --from-log?", "replay --from-log"),
      (
        ["replay", "--hok=verify", "-"], "unknown option --hok=verify; did you mean --hook=verify?",
        "replay --hook=verify -"
      ),
    ])
  func suggestions(_ arguments: [String], _ message: String, _ call: String) async throws {
    let run = try await Run.program(TestParts.program("alpm-dkms"), arguments)
    #expect(run.status == 64 && run.output.isEmpty, "\(run)")
    #expect(run.errorOutput == "==> ERROR: \(message)\n  -> to fix it:\n     alpm-dkms \(call)\n")
  }

  @Test("Help and version are answered as ever")
  func help() async throws {
    for option in ["--help", "--version"] {
      let run = try await Run.program(TestParts.program("alpm-dkms"), [option])
      #expect(run.status == 0 && run.errorOutput.isEmpty && !run.output.isEmpty, "\(run)")
    }
  }
}
