// SPDX-License-Identifier: GPL-2.0-or-later

import JSON
import Testing

@Suite struct JSONParserTests {
  private func parse(_ text: String) throws -> JSON { try JSONParser.parse(Array(text.utf8)) }

  @Test(arguments: [
    "", "plain", "\"quoted\"", #"back\slash"#, "two\nlines\r\n", "\t\u{0}\u{1}\u{1F}\u{7F}", "ä☃🐧",
    "e\u{301}\r\n",
  ])
  func textComesBack(_ text: String) throws {
    let value = JSON.array([.string(text), .object([.init(text, .number(-12))])])
    guard case .array(let values) = try parse(value.text), case .string(let read)? = values.first else {
      throw JSONProblem(place: "", text: "not what was written")
    }
    #expect(Array(read.unicodeScalars) == Array(text.unicodeScalars))
    #expect(values.last?[text] == .number(-12))
  }

  @Test func anyLayoutIsRead() throws {
    let text = #" { "a" : [ 1,-0 , true,false , null, "\u00e4\ud83d\udc27\/\b\f" ],"b":{} , "c":[]} "#
    #expect(
      try parse(text)
        == .object([
          .init(
            "a",
            .array([.number(1), .number(0), .bool(true), .bool(false), .null, .string("ä🐧/\u{8}\u{C}")])),
          .init("b", .object([])), .init("c", .array([])),
        ]))
  }

  @Test(arguments: [
    ("", "1:1"), ("{", "1:2"), ("[1,]", "1:4"), ("{\"a\": 1,\n  \"a\": 2}", "2:3"), ("[1] 2", "1:5"),
    ("1.5", "1:1"), ("1e3", "1:1"), ("01", "1:1"), ("-", "1:1"), ("9223372036854775808", "1:1"),
    ("[\n\n  truth]", "3:3"), ("\"abc", "1:5"), ("\"a\nb\"", "1:3"), (#""\x""#, "1:2"), (#""\ud83d""#, "1:2"),
    (#""\udc27""#, "1:2"), (#""\u+123""#, "1:2"), ("{\"a\" 1}", "1:6"), ("{a: 1}", "1:2"), ("nul", "1:1"),
  ])
  func whatIsNoJSONIsRefusedWithItsPlace(_ text: String, _ place: String) {
    #expect { try parse(text) } throws: { ($0 as? JSONProblem)?.place == place }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect { try JSONParser.parse([0x5B, 0x22, 0xFF, 0x22, 0x5D]) } throws: {
      ($0 as? JSONProblem)?.place == "1:2"
    }
  }

  @Test func depthIsBounded() throws {
    let nested = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try parse(nested(JSONParser.depthLimit)) }
    #expect(throws: JSONProblem.self) { try parse(nested(JSONParser.depthLimit + 1)) }
    #expect(throws: JSONProblem.self) { try parse(nested(1_000_000)) }
  }

  @Test func everyBeginningOfATextIsRefused() throws {
    let text = Array(#"{"a": [1, "é\n", {"b": null}], "c": true}"#.utf8)
    for length in 0..<text.count {
      #expect(throws: JSONProblem.self) { try JSONParser.parse(Array(text[..<length])) }
    }
  }
}
