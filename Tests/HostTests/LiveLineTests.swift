// SPDX-License-Identifier: GPL-2.0-or-later

import Synchronization
import TestSupport
import Testing

@testable import Host

/// The line of a terminal that is rewritten in place.
@Suite struct LiveLineTests {
  /// A terminal that keeps what is written to it.
  private final class Terminal: Sendable {
    private let state = Mutex<(width: Int?, text: String)>((40, ""))

    var line: LiveLine {
      LiveLine(width: { self.state.withLock { $0.width } }) { text in
        self.state.withLock { $0.text += text }
      }
    }

    var text: String { state.withLock { $0.text } }

    var screen: Screen { Screen(text) }

    func resize(to width: Int?) { state.withLock { $0.width = width } }

    func print(_ line: String) { state.withLock { $0.text += "\(line)\n" } }
  }

  private let terminal = Terminal()

  @Test func eachTextTakesThePlaceOfTheOneBefore() {
    let line = terminal.line
    line.show(["one"])
    line.show(["two"])
    #expect(terminal.screen.lines == ["two"] && terminal.screen.erased == ["one"])
    line.erase()
    #expect(terminal.screen.lines == [""] && terminal.screen.erased == ["one", "two"])
  }

  @Test func whatIsPrintedTakesItsPlaceUntilItIsShownAgain() {
    let line = terminal.line
    line.show(["running"])
    line.giveWay { terminal.print("result") }
    #expect(terminal.screen.lines == ["result", ""])
    line.giveWay { terminal.print("another") }
    line.show(["running"])
    #expect(terminal.screen.lines == ["result", "another", "running"])
  }

  @Test func theFirstTextThatFitsIsShownOrWhatFitsOfTheLast() {
    let line = terminal.line
    let long = String(repeating: "x", count: 40)
    line.show([long, String(long.dropLast()), "short"])
    #expect(terminal.screen.lines == [String(long.dropLast())], "the last column stays free")
    line.show([long, long + "y"])
    #expect(terminal.screen.lines == [String(long.dropLast())])
  }

  @Test func theWidthIsAskedForEachTime() {
    let line = terminal.line
    for (width, shown) in [(200, "0123456789"), (6, "01234"), (1, ""), (0, "")] {
      terminal.resize(to: width)
      line.show(["0123456789"])
      #expect(terminal.screen.lines == [shown])
    }
  }

  @Test func nothingIsWrittenWhereNothingIsOrMayBeShown() {
    let line = terminal.line
    line.erase()
    line.show([])
    terminal.resize(to: nil)
    line.show(["text"])
    #expect(terminal.text.isEmpty)
  }

  @Test func whatIsShownGoesOnceNothingMayBeShown() {
    let line = terminal.line
    line.show(["text"])
    terminal.resize(to: nil)
    line.show(["text"])
    #expect(terminal.screen.lines == [""])
  }

  @Test(arguments: [nil, "", "dumb"]) func aTerminalThatOnlyPrintsHasNone(_ kind: String?) {
    #expect(!OutputStyle.isCapable(kind) && OutputStyle.isCapable("xterm"))
  }
}

@Suite struct SteadyClockTests {
  @Test func aRecordedClockMovesOnlyWhenTold() async {
    let clock = RecordedClock()
    #expect(clock.clock.now() == .zero)
    clock.advance(by: .seconds(60))
    #expect(clock.clock.now() == .seconds(60))
    #expect(await clock.clock.wait(.seconds(60)))
  }

  @Test func waitingEndsWithTheTask() async {
    for clock in [RecordedClock().clock, .live] {
      let task = Task { await clock.wait(clock.now() + .seconds(3600)) }
      task.cancel()
      #expect(await !task.value)
    }
  }

  @Test func theLiveClockMovesOn() async {
    let clock = SteadyClock.live
    let before = clock.now()
    #expect(await clock.wait(before + .milliseconds(5)))
    #expect(clock.now() >= before + .milliseconds(5))
  }
}
