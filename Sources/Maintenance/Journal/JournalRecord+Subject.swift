// SPDX-License-Identifier: GPL-2.0-or-later

internal import Hooks
internal import Host
internal import Journal
internal import SystemPackage

extension JournalRecord {
  /// The record that a word of the caller's names: a number, or else a file; without one the newest.
  ///
  /// - Throws: `JournalError`.
  init(_ subject: String?, in journal: Journal, _ host: Host) throws(JournalError) {
    try self.init(reading: try journal.file(subject, host))
  }
}

extension Journal {
  /// The file of the record that a word of the caller's names.
  ///
  /// - Throws: `JournalError`.
  func file(_ subject: String?, _ host: Host) throws(JournalError) -> FilePath {
    guard let subject, Int(subject) == nil else { return try file(subject.flatMap { Int($0) }) }
    return host.workingDirectory.pushing(FilePath(subject))
  }
}
