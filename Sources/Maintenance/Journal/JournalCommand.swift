// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import Journal
internal import SystemPackage

/// A command of `alpm-dkms` about the journal.
public protocol JournalCommand: Sendable {
  /// Runs it; 0 where all is well.
  func run(layout: Layout, host: Host) async -> Int32
}

extension JournalCommand {
  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(layout: Layout(), host: .live().forPeople()) }
  }
}

extension JournalError {
  /// Says it; 1.
  func tell(_ console: Console) -> Int32 {
    console.printError("==> ERROR: \("\(self)".withVisibleControls)")
    if let remedy { console.printError("  -> \(remedy.withVisibleControls)") }
    return 1
  }
}

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

extension JournalRecord {
  /// What was done, in half a line; for a record of another schema, why it cannot be read.
  var summary: String {
    do throws(JournalError) { return try work.summary ?? omission ?? "nothing was planned" } catch {
      return "\(error)"
    }
  }

  /// The whole record for people: what it was given, saw, planned and did.
  var words: [String] {
    let writer = version.map { ", by alpm-dkms \($0)" } ?? ""
    var lines = [
      "\(number > 0 ? "record \(number)" : "record"): \(helper) (\(phase ?? ""))\(writer), for \(caller?.rawValue ?? "")",
      "began \(Moment.text(began))"
        + (end.map { ", ended \(Moment.text($0.time)), status \($0.status)" } ?? ""),
    ]
    if end == nil { lines.append("it did not end: it was killed, or is still running") }
    if let omission { lines.append(omission) }
    lines += Self.block("targets", targets.map(\.text.withVisibleControls))
    do throws(JournalError) { lines += try work.words } catch {
      lines += Self.block("what it saw and planned", ["\(error)"] + [error.remedy].compactMap { $0 })
    }
    return lines + Self.block("logs", end?.logs ?? [])
  }

  fileprivate static func block(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["\(title):"] + lines.map { "  \($0)" }
  }
}

extension RecordedWork {
  /// What was done, in half a line; nil where nothing was planned.
  fileprivate var summary: String? { error.map { "\($0)" } ?? plan?.summary(outcomes) }

  /// What was seen, planned and done.
  fileprivate var words: [String] {
    let didWhat = outcomes.flatMap { outcomes in plan?.words(outcomes) }
    return JournalRecord.block("saw", facts?.words ?? [])
      + JournalRecord.block(
        didWhat == nil ? "planned" : "planned, and what became of it", didWhat ?? plan?.words ?? [])
      + JournalRecord.block("error", error.map { ["\($0)"] } ?? [])
  }
}
