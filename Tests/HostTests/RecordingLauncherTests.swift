// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import Testing

@Suite struct RecordingLauncherTests {
  @Test func commandsAreKeptAndAnsweredByTheRule() async throws {
    let launcher = RecordingLauncher { command in
      command.program == "false" ? CommandResult(.exited(1), errorOutput: [0x21]) : CommandResult(.exited(0))
    }
    let commands = [
      Command("true", ["a"], environment: ["A": "B"], directory: "/tmp"), Command("false", environment: [:]),
    ]
    #expect(try await launcher.run(commands[0]).isSuccess)
    let failure = try await launcher.run(commands[1])
    #expect(failure.termination == .exited(1))
    #expect(failure.errorText == "!")
    #expect(launcher.commands == commands)
  }
}
