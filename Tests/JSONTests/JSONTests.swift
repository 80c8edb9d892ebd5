// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import JSON
import Testing

@Suite struct JSONTests {
  @Test func structureIsIndented() {
    let value = JSON.object([
      .init("a", .number(1)), .init("b", .array([.bool(true), .null])), .init("c", .object([])),
      .init("d", .array([])),
    ])
    #expect(
      value.text == """
        {
          "a": 1,
          "b": [
            true,
            null
          ],
          "c": {},
          "d": []
        }
        """)
  }

  @Test(arguments: [
    "", "plain", "\"quoted\"", #"back\slash"#, "two\nlines\r\n", "\t\u{0}\u{1}\u{1F}\u{7F}", "ä☃🐧",
    "e\u{301}\r\n",
  ])
  func aReaderGetsBackWhatWasWritten(_ text: String) throws {
    let data = Data(JSON.array([.string(text)]).text.utf8)
    let values = try JSONDecoder().decode([String].self, from: data)
    // As scalars: text that is merely equal is not what was written.
    #expect(values.map { Array($0.unicodeScalars) } == [Array(text.unicodeScalars)])
  }
}
