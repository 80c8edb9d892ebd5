// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
package import JSON
package import SystemPackage

/// Why a record cannot be had.
package enum JournalError: Error, Hashable {
  /// No record has this number; the newest there is.
  case noRecord(Int, newest: Int?)
  /// There are no records at all.
  case empty(FilePath)
  /// The file, or the directory of all of them, cannot be read.
  case unreadable(FilePath, reason: String)
  /// It was written by another schema.
  case schema(Int, found: Int)
  /// It is of a helper of this name, which this version has not.
  case helper(Int, String)
  /// The file, or the record of this name, is not what was written.
  case damaged(String, JSONProblem)
  /// It holds no facts to plan from.
  case withoutFacts(Int, reason: String)
  /// The facts of the record of this name give another plan than it holds.
  case otherPlan(String)
  /// The record, file or archive could not be written.
  case notWritten(String)
  /// The call contradicts itself.
  case usage(String)
}

extension JournalError {
  init(_ error: HostError) { self = .notWritten("\(error)") }
}

extension JournalError: CustomStringConvertible {
  /// One line for people, without a period.
  package var description: String {
    switch self {
    case .noRecord(let number, let newest?): "there is no record \(number); the newest is \(newest)"
    case .noRecord(let number, nil): "there is no record \(number); there are none at all"
    case .empty(let directory): "there are no records in \(directory)"
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .schema(let number, let found):
      "record \(number): schema: it is \(found), and this version reads only \(JournalRecord.schema)"
    case .helper(let number, let name):
      "record \(number) is of the helper '\(name)', which this version does not have"
    case .damaged(let name, let problem): "\(name): \(problem)"
    case .withoutFacts(let number, let reason): "record \(number) holds no facts to plan from: \(reason)"
    case .otherPlan(let name): "record \(name): its facts give a different plan from the one it holds"
    case .notWritten(let reason), .usage(let reason): reason
    }
  }

  /// What to do about it.
  package var remedy: String? {
    switch self {
    case .noRecord, .empty: "the list of records: alpm-dkms history"
    case .unreadable(_, let reason) where reason == "\(Errno.permissionDenied)":
      "records are for root: use sudo"
    case .schema, .helper: "read it with the alpm-dkms that wrote it"
    case .damaged: "take a copy that nobody has edited or cut short"
    case .withoutFacts: "plan for its targets as the machine is: alpm-dkms replay --now"
    case .unreadable, .otherPlan, .notWritten, .usage: nil
    }
  }
}
