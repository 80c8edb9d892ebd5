// SPDX-License-Identifier: GPL-2.0-or-later

import Hooks
import SystemPackage
import TestSupport
import Testing

/// Programs that wait for their targets, from a writer who says nothing, when they are asked to end.
@Suite(.timeLimit(.minutes(60))) struct HookSignalTests {
  /// Starts a program on a pipe without words, and sends it a signal as soon as it takes signals.
  private func end(_ program: String, _ words: [String], as name: String, by signal: String) async throws
    -> Run
  {
    let directory = try TemporaryDirectory()
    return try await Run.program(
      "/usr/bin/timeout",
      [
        "-s", "KILL", "300", "/bin/bash", "-c",
        """
        set -m
        mkfifo "$1/pipe" && exec 9<> "$1/pipe" || exit 125
        (exec -a "$2" "${@:4}" <&9 9>&-) & child=$!
        until (($(ls /proc/$child/task | wc -l) > 1)); do
          kill -0 $child || exit 126
          sleep 0.05
        done
        kill -$3 $child
        wait $child
        """, "bash", directory.path.string, name, signal, TestParts.program(program).string,
      ] + words)
  }

  @Test(arguments: HelperKind.allCases, ["INT", "TERM", "HUP"])
  func aHelperEnds(_ helper: HelperKind, _ signal: String) async throws {
    let run = try await end("alpm-dkms-hook", [], as: helper.program, by: signal)
    #expect(run.status == 130, "\(run)")
  }

  @Test(arguments: ["INT", "TERM"])
  func aReplayOfTargetsEnds(_ signal: String) async throws {
    let run = try await end("alpm-dkms", ["replay", "-", "--hook", "install"], as: "alpm-dkms", by: signal)
    #expect(run.status != 0 && run.status < 132, "\(run)")
  }
}
