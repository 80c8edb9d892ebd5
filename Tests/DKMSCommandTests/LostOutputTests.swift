// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

/// What programs say where nothing can be printed.
struct LostOutputTests {
  private static let calls = [
    ("dkms", "--help"), ("dkms", "--version"), ("alpm-dkms", "--help"), ("alpm-dkms", "--version"),
    ("alpm-dkms", "help replay"), ("alpm-dkms", "--generate-completion-script bash"),
  ]

  /// Runs a program with standard output as a shell is told.
  private func run(_ program: String, _ words: String, _ output: String) async throws -> Run {
    try await Run.program(
      "/bin/bash",
      ["-c", "\"$0\" \"$@\" \(output)", TestParts.program(program).string]
        + words.split(separator: " ").map(String.init))
  }

  @Test("A full disk and a closed stream are errors", arguments: calls, [">/dev/full", ">&-"])
  func errors(_ call: (program: String, words: String), _ output: String) async throws {
    let run = try await run(call.program, call.words, output)
    #expect(run.status == 1, "\(run)")
    #expect(run.errorOutput.hasPrefix("==> ERROR: cannot write to standard output: "), "\(run)")
    #expect(output != ">/dev/full" || run.errorOutput.contains("No space left on device"), "\(run)")
  }

  @Test("An error that was there before keeps its status", arguments: ["dkms", "alpm-dkms"])
  func otherErrors(_ program: String) async throws {
    let run = try await run(program, "no-such-thing", ">/dev/full")
    #expect(run.status > 1 && !run.errorOutput.contains("standard output"), "\(run)")
  }

  @Test("A reader that wants no more is none", arguments: calls)
  func readers(_ call: (program: String, words: String)) async throws {
    let run = try await run(call.program, call.words, "> >(exec true); sleep 0.1; exit $?")
    #expect(run.errorOutput.isEmpty, "\(run)")
    let piped = try await self.run(call.program, call.words, "| true; exit ${PIPESTATUS[0]}")
    #expect(piped.status == 0 && piped.errorOutput.isEmpty, "\(piped)")
  }
}
