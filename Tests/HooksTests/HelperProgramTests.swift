// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

@testable import Hooks

/// The one file behind the helpers, which goes by the name that it is called by.
@Suite struct HelperProgramTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func run(as name: String) async throws -> Run {
    let link = directory.path.appending(name)
    try Files.link(link, to: TestParts.program("alpm-dkms-hook"))
    return try await Run.program(link, [])
  }

  @Test func underAnotherNameItSaysWhichThereAre() async throws {
    let run = try await run(as: "alpm-dkms-polish")
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errorOutput.hasPrefix("==> ERROR: no helper is called 'alpm-dkms-polish'"))
    for helper in ["install", "remove", "initramfs", "verify"] {
      #expect(run.errorOutput.contains("alpm-dkms-\(helper)"))
    }
  }

  @Test(arguments: HelperKind.allCases)
  func underEachOfItsNamesItIsThatHelper(_ helper: HelperKind) async throws {
    // Nothing to do is well done.
    let run = try await run(as: helper.program)
    #expect(run.status == 0 && run.output.isEmpty && run.errorOutput.isEmpty)
  }
}
