// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import Host

/// A command to be typed is alone on its line, and whole.
@Suite struct CommandLineTests {
  private let command = "dkms build --force hello/1.0 -k 6.1.0 && dkms install --force hello/1.0 -k 6.1.0"

  @Test(arguments: [1, 20, 40, 80, 200])
  func isNotBroken(width: Int) {
    let transcript = Transcript()
    let style = OutputStyle(width: width, isColored: true)
    let console = transcript.console.laidOut(style, errors: style)
    console.printError("  -> to fix it:")
    console.printCommand(command)
    console.printCommand(command, to: .output)
    console.onErrors.printCommand(command, to: .output)
    #expect(transcript.output == ["     \(command)"])
    #expect(transcript.error.suffix(1) == ["     \(command)"])
    #expect(transcript.error.filter { $0 == "     \(command)" }.count == 2)
  }
}
