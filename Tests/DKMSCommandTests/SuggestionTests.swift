// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSCommand

/// What a call that cannot be understood is answered with.
struct SuggestionTests {
  private struct Case {
    let words: String
    let message: String
    let remedy: String?
  }

  private static let cases = [
    Case(
      words: "instal hello/1.0 -k K", message: "unknown action 'instal'; did you mean install?",
      remedy: "dkms install hello/1.0 -k K"),
    Case(
      words: "hello/1.0 upgrade -k K", message: "unknown action 'upgrade'",
      remedy: "all actions and options: dkms --help"),
    Case(
      words: "hello/1.0 unisntall", message: "unknown action 'unisntall'; did you mean uninstall?",
      remedy: "dkms hello/1.0 uninstall"),
    Case(
      words: "frobnicate", message: "unknown action 'frobnicate'",
      remedy: "all actions and options: dkms --help"),
    Case(words: "hello/1.0", message: "no action is named", remedy: "all actions and options: dkms --help"),
    Case(
      words: "-m hello -v 1.0", message: "no action is named", remedy: "all actions and options: dkms --help"),
    Case(words: "", message: "no action is named", remedy: "all actions and options: dkms --help"),
    Case(
      words: "install --froce hello/1.0", message: "unknown option --froce; did you mean --force?",
      remedy: "dkms install --force hello/1.0"),
    Case(
      words: "status --dkms-tree=/a", message: "unknown option --dkms-tree=/a; did you mean --dkmstree=/a?",
      remedy: "dkms status --dkmstree=/a"),
    Case(words: "install -x", message: "unknown option -x", remedy: "all actions and options: dkms --help"),
    Case(
      words: "install hello/1.0 --json", message: "dkms install has no --json; dkms status has",
      remedy: "dkms status --json"),
  ]

  @Test(
    "A mistyped word is named, with what it may have been meant for and the call to type",
    arguments: cases.indices)
  func answers(_ index: Int) async throws {
    let test = Self.cases[index]
    let words = test.words.split(separator: " ").map(String.init)
    let error = #expect(throws: UsageError.self) { try Arguments(words) }
    #expect(error?.message == test.message)
    #expect(error?.remedy(for: words) == test.remedy)
  }

  @Test("A call to type is quoted as a shell wants it")
  func quoting() {
    let words = ["instal", "--directive", "A=it's b"]
    #expect(
      UsageError.unknownAction("instal").remedy(for: words) == #"dkms install --directive 'A=it'\''s b'"#)
  }

  @Test("Every mistyped action and long option of one wrong letter is found")
  func letters() {
    for name in Action.allCases.map(\.rawValue) where name.count > 4 {
      #expect(Suggestion.action(for: "\(name.dropLast())x") == name)
    }
    for name in Option.table.filter({ !$0.isDeprecated }).flatMap(\.names)
    where name.hasPrefix("--") && name.count > 5 {
      #expect(Suggestion.option(for: "\(name.dropLast())x") == name)
    }
  }

  @Test("A module without its version is answered with the versions there are", .requiresRoot)
  func versions() async throws {
    let machine = try MountedMachine()
    for id in ["hello-1.0", "hello-1.10", "hello-1.9", "hello-world-2.0"] {
      try machine.write(
        "PACKAGE_NAME=\"\(id.prefix { !$0.isNumber }.dropLast())\"\n", to: "src/\(id)/dkms.conf")
    }
    try Files.makeDirectories(machine.path("var/hello/1.0/build"))
    try Files.link(machine.path("var/hello/1.0/source"), to: "/usr/src/hello-1.0")
    let words = "install -m hello -k K"
    try await machine.dkms(words).expect(
      1, says: ["==> ERROR: no version of hello is named; there is 1.10, 1.9, 1.0", "-m hello/1.10 -k K"])
    try await machine.dkms("remove hello").expect(
      1, says: ["==> ERROR: no version of hello is named; there is 1.0\n", "     dkms remove hello/1.0\n"])
    try await machine.dkms("install nothing").expect(1, says: ["none is registered", "     dkms status\n"])
  }
}
