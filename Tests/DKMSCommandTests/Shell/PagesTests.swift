// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

@testable import DKMSCommand

/// What completions and the manual page take from the tables of `dkms`.
struct PagesTests {
  @Test("Completions and the manual page say what the tables say; make pages writes them")
  func areWritten() async throws {
    let run = try await Run.program(
      "/bin/sh",
      [
        "-c", #"cd "$0" && exec "$1" --check"#, TestParts.repository.string,
        TestParts.program("dkms-pages").string,
      ])
    #expect(run.status == 0 && run.output.isEmpty, "\(run)")
  }

  @Test("No two options share a name, and each fits an action")
  func names() {
    let names = Option.table.flatMap(\.names)
    #expect(Set(names).count == names.count)
    for option in Option.table {
      #expect(!option.actions.isEmpty && Set(option.actions).count == option.actions.count, "\(option.names)")
    }
  }

  @Test("Every line of the help fits a terminal of 110 columns")
  func width() {
    for line in Usage.text.split(separator: "\n") { #expect(line.count <= 110, "\(line)") }
  }
}
