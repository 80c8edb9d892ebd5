// SPDX-License-Identifier: GPL-2.0-or-later

/// A transaction as pacman's log has it.
package struct LoggedTransaction: Hashable {
  /// Its place in the log, counted from 1.
  package let number: Int
  /// When it began, as the log says it.
  package let time: String
  /// What was done, in the order of the log.
  package var operations: [PackageOperation] = []
  /// How it ended; nil where the log does not say, as after a power cut.
  package var end: End?

  /// How a transaction ended; the raw values are the log's words.
  package enum End: String, Hashable {
    case completed
    case failed
    case interrupted
  }
}
