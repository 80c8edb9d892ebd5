// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// The actions and options that `dkms --help` lists, sorted.
struct HelpText {
  let actions: [String]
  let options: [String]

  /// Asks the built program.
  static func read() async throws -> HelpText {
    let run = try await Run.program(TestParts.program("dkms"), ["--help"])
    try #require(run.status == 0, "\(run)")
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
    let actions = section("actions:", of: lines).compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
    let options = section("options:", of: lines).flatMap { line in
      line.split { " ,;|[]".contains($0) }.filter { $0.hasPrefix("-") }.map(String.init)
    }
    try #require(!actions.isEmpty && !options.isEmpty, "\(run)")
    return HelpText(actions: actions.sorted(), options: Set(options).sorted())
  }

  /// The lines below a title, up to the next empty one.
  private static func section(_ title: Substring, of lines: [Substring]) -> ArraySlice<Substring> {
    let below = lines.drop { $0 != title }.dropFirst()
    return below.prefix { !$0.isEmpty }
  }
}
