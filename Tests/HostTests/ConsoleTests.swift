// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import Testing

@Suite struct ConsoleTests {
  @Test func transcriptKeepsTheLinesOfEachStream() {
    let transcript = Transcript()
    transcript.console.print("one")
    transcript.console.printError("two")
    transcript.console.print("")
    transcript.console.print("three")
    #expect(transcript.output == ["one", "", "three"])
    #expect(transcript.error == ["two"])
  }

  @Test func sinkGetsLinesWithoutTheirEnd() {
    let transcript = Transcript()
    let console = Console { stream, line in
      if stream == .output { transcript.console.print("<\(line)>") }
    }
    console.print("one")
    console.printError("two")
    #expect(transcript.output == ["<one>"])
    #expect(transcript.error.isEmpty)
  }
}

/// What needs a process of its own.
@Suite struct ConsoleExitTests {
  @Test func liveConsoleWritesLines() async throws {
    let result = try #require(
      await #expect(
        processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
      ) {
        let console = Console.live()
        console.print("==> asked for ü")
        console.printError("==> went wrong")
      })
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).contains("==> asked for ü\n"))
    #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("==> went wrong\n"))
  }
}
