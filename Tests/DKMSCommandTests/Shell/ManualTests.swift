// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// The manual page dkms(8).
struct ManualTests {
  private let page = TestParts.repository.appending("man/dkms.8")

  @Test(
    "The manual pages have no fault that mandoc sees", .requiresMandoc,
    arguments: ["dkms.8", "alpm-dkms.8", "alpm-dkms-json.5"])
  func lint(_ name: String) async throws {
    let page = TestParts.repository.appending("man").appending(name)
    let run = try await Run.program("/usr/bin/mandoc", ["-T", "lint", "-W", "warning", page.string])
    #expect(run.status == 0 && run.output.isEmpty, "\(run)")
  }

  @Test("The manual page explains the actions and options of the help, and no others")
  func help() async throws {
    let help = try await HelpText.read()
    #expect(try items(of: "ACTIONS", after: "Cm").sorted() == help.actions)
    #expect(try items(of: "OPTIONS", after: "Fl").map { "-\($0)" }.sorted() == help.options)
  }

  /// What the headings of a section's list name after a macro.
  private func items(of section: String, after macro: String) throws -> [String] {
    let lines = try #require(Disk.text(page)).split(separator: "\n")
    return lines.drop { $0 != ".Sh \(section)" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") }
      .filter { $0.hasPrefix(".It ") }
      .flatMap { line in
        let words = line.split(separator: " ").map(String.init)
        return zip(words, words.dropFirst()).filter { $0.0 == macro }.map(\.1)
      }
  }
}
