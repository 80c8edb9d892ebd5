// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What alpm-dkms answers to a call that it does not understand.
struct UsageTests {
  @Test(
    "An error in the arguments has the form of all errors, and names the word",
    arguments: [
      (["verfy"], "verfy"), (["verify", "--jsn"], "--jsn"), (["show", "x", "y"], "y"),
    ])
  func errors(_ arguments: [String], _ word: String) async throws {
    let run = try await Run.program(TestParts.program("alpm-dkms"), arguments)
    #expect(run.status == 64 && run.output.isEmpty, "\(run)")
    #expect(run.errorOutput.hasPrefix("==> ERROR: ") && run.errorOutput.contains(word), "\(run)")
    #expect(run.errorOutput.hasSuffix("     alpm-dkms --help\n"), "\(run)")
  }

  @Test("Help and version are answered as ever")
  func help() async throws {
    for option in ["--help", "--version"] {
      let run = try await Run.program(TestParts.program("alpm-dkms"), [option])
      #expect(run.status == 0 && run.errorOutput.isEmpty && !run.output.isEmpty, "\(run)")
    }
  }
}
