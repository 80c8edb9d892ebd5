// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Lists what the hooks did.
struct History: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what the hooks did, one line for each call, the newest last.",
    discussion: """
      Each line shows the number of the record, when the call began, the helper, how it ended, and what it did. \
      Needs root.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("List only the newest n calls.", valueName: "n"))
  var count: Int?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    HistoryCommand(count: count, printsJSON: json).main()
  }
}
