// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Shows one call of a hook.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a hook was given, saw, planned and did.",
    discussion: "Needs root, unless the record is a file.")

  @Flag(help: "Print the record itself, for programs.")
  var json = false

  @Argument(help: "The number of a record, or a file; by default, the newest record.")
  var record: String?

  func run() {
    ShowCommand(record, printsJSON: json).main()
  }
}
