// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite("Searching in texts")
struct TextSearchTests {
  @Test(
    "A text is found where it first stands, whole",
    arguments: [
      ("abcabc", "bc", 1), ("aab", "ab", 1), ("abc", "abc", 0), ("abc", "", 0), ("", "", 0),
      ("grün: a", ": a", 5),
    ])
  func finds(text: String, sought: String, at offset: Int) throws {
    let range = try #require(text.firstRange(of: sought))
    #expect(text.utf8.distance(from: text.startIndex, to: range.lowerBound) == offset)
    #expect(text[range] == sought)
    #expect(text.contains(sought))
  }

  @Test(
    "What is not there is not found", arguments: [("", "a"), ("ab", "abc"), ("abab", "ba b"), ("a", "A")])
  func findsNothing(text: String, sought: String) {
    #expect(text.firstRange(of: sought) == nil)
    #expect(!text.contains(sought))
  }

  @Test("The end of a line is found after a carriage return, too")
  func carriageReturn() {
    #expect("a\r\nb".contains("\n"))
    #expect("a\r\nb".replacing("\r\n", with: "\n") == "a\nb")
  }

  @Test("A part of a text is searched as the whole is, and its places are the whole's")
  func slices() throws {
    let text = "error: a: b"
    let range = try #require(text.dropFirst(6).firstRange(of: ": "))
    #expect(text[range.upperBound...] == "b")
  }

  @Test(
    "Every occurrence is replaced, from the left",
    arguments: [
      ("a-b-c", "-", "_", "a_b_c"), ("aaa", "aa", "b", "ba"), ("abc", "x", "y", "abc"),
      ("abc", "", "y", "abc"),
      ("--", "-", "--", "----"), ("a/b/", "b/", "", "a/"),
    ])
  func replaces(text: String, sought: String, replacement: String, expected: String) {
    #expect(text.replacing(sought, with: replacement) == expected)
  }

  @Test("There is one part more than there are separators")
  func parts() {
    #expect("::a::b::".parts(between: "::") == ["", "a", "b", ""])
    #expect("".parts(between: "::") == [""])
  }
}
