// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Testing

@testable import Host

@Suite struct OutputStyleTests {
  private static let table: Table = {
    var table = Table([.right])
    table.append(["7", Table.Cell("short", .bad), "one two three four five six"])
    table.append(["128", "rather long", Table.Cell("seven", .good)])
    return table
  }()

  @Test func columnsAreAlignedAndPlainInAPipe() {
    #expect(
      Self.table.lines(OutputStyle(environment: ["TERM": "xterm", "COLUMNS": "30"], terminalWidth: nil)) == [
        "  7  short        one two three four five six",
        "128  rather long  seven",
      ])
  }

  @Test func theLastColumnIsBrokenToTheWidthOfTheTerminal() {
    let style = OutputStyle(environment: ["NO_COLOR": "1", "TERM": "xterm"], terminalWidth: 39)
    let lines = Self.table.lines(style, indentation: " ")
    #expect(
      lines == [
        "   7  short        one two three four",
        "                   five six",
        " 128  rather long  seven",
      ])
    #expect(lines.allSatisfy { $0.count <= 39 })
  }

  @Test func colorNeedsATerminalThatLikesIt() {
    let isColored = { (environment: [String: String], width: Int?) in
      OutputStyle(environment: environment, terminalWidth: width).isColored
    }
    #expect(isColored(["TERM": "xterm"], 80))
    #expect(isColored(["TERM": "xterm", "NO_COLOR": ""], 80))
    #expect(!isColored(["TERM": "xterm", "NO_COLOR": "0"], 80))
    #expect(!isColored(["TERM": "dumb"], 80))
    #expect(!isColored([:], 80))
    #expect(!isColored(["TERM": "xterm"], nil))
  }

  @Test func linesForPeopleFitAndTheirMarksAreColoured() {
    let narrow = OutputStyle(width: 30)
    #expect(
      narrow.lines(of: "==> WARNING: 6.1.0: degraded, not all is well") == [
        "==> WARNING: 6.1.0: degraded,", "    not all is well",
      ])
    #expect(
      narrow.lines(of: "  -> hello/1.0: it could not be built") == [
        "  -> hello/1.0: it could not", "     be built",
      ])
    let colored = OutputStyle(width: 30, isColored: true)
    #expect(colored.lines(of: "==> ERROR: x") == ["\u{1B}[31m==> ERROR:\u{1B}[0m x"])
    let long = "==> ERROR: " + String(repeating: "word ", count: 20)
    #expect(OutputStyle.plain.lines(of: long) == [long])
    let json = "{ \"schema\": 1, \"words\": \"\(long)\" }"
    #expect(colored.lines(of: json) == [json])
  }

  @Test func columnsGoBeforeWhatTheTerminalSays() {
    let width = { (environment: [String: String], width: Int?) in
      OutputStyle(environment: environment, terminalWidth: width).width
    }
    #expect(width(["COLUMNS": "60"], 100) == 60)
    #expect(width(["COLUMNS": "wide"], 100) == 100)
    #expect(width(["COLUMNS": "-3"], 100) == 100)
    #expect(width([:], 0) == 80)
    #expect(width(["COLUMNS": "60"], nil) == nil)
  }

  @Test func colorTakesNoRoom() {
    let lines = Self.table.lines(OutputStyle(width: 200, isColored: true))
    #expect(
      lines == [
        "  7  \u{1B}[31mshort\u{1B}[0m        one two three four five six",
        "128  rather long  \u{1B}[32mseven\u{1B}[0m",
      ])
  }

  @Test func aNameCannotSteerTheTerminal() {
    var table = Table()
    table.append(["a\u{1B}[2Jb\nc", "d"])
    #expect(table.lines(.plain) == ["a?[2Jb?c  d"])
  }

  @Test func aTerminalTellsItsWidth() throws {
    let primary = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    try #require(primary >= 0)
    defer { close(primary) }
    // Unlocking it and asking for its number, as <asm-generic/ioctls.h> has them.
    let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    var (isLocked, number): (CInt, CUnsignedInt) = (0, 0)
    try #require(ioctl(primary, unlock, &isLocked) == 0 && ioctl(primary, getNumber, &number) == 0)
    let secondary = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(secondary >= 0)
    defer { close(secondary) }
    var size = winsize(ws_row: 24, ws_col: 133, ws_xpixel: 0, ws_ypixel: 0)
    try #require(ioctl(secondary, UInt(TIOCSWINSZ), &size) == 0)
    #expect(OutputStyle.terminalWidth(of: secondary) == 133)

    var ends: [CInt] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    #expect(OutputStyle.terminalWidth(of: ends[1]) == nil)
  }
}
