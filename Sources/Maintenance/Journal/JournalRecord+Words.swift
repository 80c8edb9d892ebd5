// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Hooks
internal import Host
internal import Inspection
internal import Journal

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
