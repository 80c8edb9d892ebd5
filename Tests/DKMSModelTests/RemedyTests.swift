// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

/// What is printed as a command is one, and the rest is words.
@Suite struct RemedyTests {
  private static let wordings: [(String, String?, String?)] = [
    ("depmod 6.1.0", nil, "depmod 6.1.0"),
    ("the log is /x/make.log", "the log is /x/make.log", nil),
    ("dkms add a/1", nil, "dkms add a/1"), ("", nil, nil),
    ("sign it: sbctl sign -s /efi/a.efi", "sign it", "sbctl sign -s /efi/a.efi"),
    ("what is registered: dkms status", "what is registered", "dkms status"),
    ("see: this, then: cp a b && depmod c", "see: this, then", "cp a b && depmod c"),
    ("dkmsd or: nothing", "dkmsd or: nothing", nil), ("all commands:", "all commands:", nil),
  ]

  @Test(arguments: wordings)
  func parts(_ words: String, _ advice: String?, _ command: String?) {
    let remedy = Remedy(words)
    #expect(remedy.advice == advice && remedy.command == command)
    #expect(remedy.words == words)
  }

  @Test(arguments: [
    ("a/b-1.0_c", "a/b-1.0_c"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'"),
  ])
  func quoting(_ word: String, _ quoted: String) { #expect(word.quotedForShell == quoted) }

  @Test(arguments: try DKMSErrorTests.cases())
  func everyErrorsRemedyIsACommandOrWords(_ expected: DKMSErrorTests.Case) {
    guard let remedy = expected.error.remedy.map({ Remedy($0) }) else { return }
    if let command = remedy.command {
      for part in command.replacing(" && ", with: "\n").split(separator: "\n") {
        #expect(Remedy.programs.contains(String(part.prefix { $0 != " " })), "\(command)")
      }
      #expect(
        !["(", ";", "NAME", "VERSION", "RELEASE", " or "].contains { command.contains($0) }, "\(command)")
    }
    for program in Remedy.programs where program != "sudo" {
      #expect(remedy.advice?.contains("\(program) ") != true, "\(remedy)")
    }
  }
}
