// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// What `replay` needs to know for a transaction that was never recorded.
struct LogOptions: ParsableArguments {
  @Flag(help: "Say from pacman's log which hooks a transaction must have run, and what they would do now.")
  var fromLog = false

  @Option(help: ArgumentHelp("With --from-log, its place in the log from 1, or last.", valueName: "k"))
  var transaction: String?

  func validate() throws {
    guard fromLog else {
      if transaction != nil { throw ValidationError("--transaction goes with --from-log alone") }
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
