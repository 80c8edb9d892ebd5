// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import Maintenance

/// Transactions that were never recorded, from pacman's log to the plan.
@Suite struct LogReplayTests {
  private let system: HookedSystem

  init() throws { system = try HookedSystem() }

  private var log: FilePath { system.directory.path.appending("var/log/pacman.log") }

  @Test func theCommandTellsHooksTargetsAndPlan() async throws {
    try system.addKernel("6.1.0")
    let id = try system.addSource("hello", "1.0")
    try system.addPackage(
      "hello-dkms", files: ["usr/src/hello-1.0/", "usr/src/hello-1.0/dkms.conf", "usr/src/hello-1.0/text"])
    try system.directory.write(
      "[Trigger]\nType = Path\nOperation = Install\nTarget = usr/src/*/dkms.conf\n[Action]\n"
        + "When = PostTransaction\nExec = /usr/lib/alpm-dkms/alpm-dkms-install\nNeedsTargets\n",
      to: "usr/share/libalpm/hooks/70-dkms-install.hook")
    try system.directory.write("broken", to: "usr/share/libalpm/hooks/50-other.hook")
    try system.directory.write(
      """
      [2026-01-01T10:00:02+0000] [ALPM] transaction started
      [2026-01-01T10:00:03+0000] [ALPM] installed hello-dkms (1.0-1)
      [2026-01-01T10:00:03+0000] [ALPM] removed other (1.0-1)
      [2026-01-01T10:00:04+0000] [ALPM] transaction completed
      """, to: "var/log/pacman.log")
    let command = try #require(LogReplayCommand(transaction: "last"))
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    let lines = system.transcript.output
    #expect(
      lines.prefix(5) == [
        "==> transaction 1, 2026-01-01T10:00:02+0000: completed", "  installed  hello-dkms  1.0-1",
        "  removed    other       1.0-1",
        "==> 70-dkms-install.hook, after the transaction: /usr/lib/alpm-dkms/alpm-dkms-install",
        "  usr/src/hello-1.0/dkms.conf (perhaps)",
      ])
    #expect(lines.contains { $0.contains("\(id) for 6.1.0: would be built") }, "\(lines)")
    #expect(
      lines.suffix(2) == [
        "==> Not known:", "  ->  other: it was removed, so the paths that went with it are not known",
      ])
    #expect(system.transcript.error.first?.contains("50-other.hook") == true)
    #expect(system.state.modules.isEmpty)

    let json = try #require(LogReplayCommand(log.string, transaction: "1", printsJSON: true))
    #expect(await json.run(layout: system.layout, host: system.host) == 0)
    #expect(try JSONSchema("replay-log").faults(in: system.transcript.output.last ?? "") == [])
    #expect(system.transcript.output.last?.contains("\"target\": \"usr/src/hello-1.0/dkms.conf\"") == true)
  }

  @Test func aTransactionThatIsNotThereIsAnError() async throws {
    try system.directory.write(
      "[2026-01-01T10:00:02+0000] [ALPM] transaction started\n", to: "var/log/pacman.log")
    let command = try #require(LogReplayCommand(transaction: "7"))
    #expect(await command.run(layout: system.layout, host: system.host) == 1)
    #expect(
      system.transcript.error == ["==> ERROR: cannot find transaction 7 in \(log): it holds 1 transaction"])
    #expect(LogReplayCommand(transaction: "0") == nil)
    #expect(LogReplayCommand(transaction: "first") == nil)
  }
}
