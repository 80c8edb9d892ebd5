// SPDX-License-Identifier: GPL-2.0-or-later

internal import Hooks
internal import Host
internal import SystemPackage

extension JournalRecord {
  /// The record that a word of the caller's names: a number, or else a file; without one the newest.
  ///
  /// - Throws: `JournalError`.
  init(_ subject: String?, in journal: Journal, _ host: Host) throws(JournalError) {
    guard let subject, Int(subject) == nil else {
      self = try journal.record(subject.flatMap { Int($0) })
      return
    }
    try self.init(reading: host.workingDirectory.pushing(FilePath(subject)))
  }
}
