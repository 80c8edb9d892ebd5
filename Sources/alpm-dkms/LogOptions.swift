// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// The options of `replay` for a transaction that was never recorded.
struct LogOptions: ParsableArguments {
  @Flag(help: "Work out from pacman's log which hooks a transaction ran, and what they would do now.")
  var fromLog = false

  @Option(
    help: ArgumentHelp("With --from-log: its number in the log, counted from 1, or last.", valueName: "k"))
  var transaction: String?

  func validate() throws {
    guard fromLog else {
      if transaction != nil { throw ValidationError("--transaction goes only with --from-log") }
      return
    }
    if let transaction, LogReplayCommand(transaction: transaction) == nil {
      throw ValidationError("--transaction is a number from 1, or last, not '\(transaction)'")
    }
  }

  /// The command that these options ask for; nil where they ask for none.
  func command(_ log: String?, printsJSON: Bool) -> LogReplayCommand? {
    fromLog ? LogReplayCommand(log, transaction: transaction ?? "last", printsJSON: printsJSON) : nil
  }
}
