// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
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
  /// Prints it with its remedy; returns the status 1.
  func tell(_ console: Console) -> Int32 {
    console.printError("==> ERROR: \("\(self)".withVisibleControls)")
    if let remedy { Narrator(console).advise(remedy.withVisibleControls) }
    return 1
  }
}

/// A record, and the bytes that it was read from.
struct StoredRecord {
  let bytes: [UInt8]
  let record: JournalRecord

  /// Reads a record from its file, or from a bundle that it was packed into.
  ///
  /// - Throws: `JournalError` where the file holds no whole record, or cannot be read.
  init(_ file: FilePath) throws(JournalError) {
    if let packed = try Self.packed(in: file) { bytes = packed } else { bytes = try Self.bytes(of: file) }
    record = try JournalRecord(bytes, of: file)
  }

  /// The records that a word of the caller's names, the oldest first: one by its number or file, or without a word all
  /// those of the last transaction.
  ///
  /// - Throws: `JournalError` where there is none, or one cannot be read.
  static func named(_ subject: String?, in journal: Journal, _ host: Host) throws(JournalError)
    -> [StoredRecord]
  {
    let files = if let subject { [try journal.file(subject, host)] } else { try journal.lastTransaction() }
    var records: [StoredRecord] = []
    for file in files { records.append(try StoredRecord(file)) }
    return records
  }

  private static func bytes(of file: FilePath) throws(JournalError) -> [UInt8] {
    do { return try Files.read(file, upTo: JournalRecord.readLimit) } catch {
      throw .unreadable(file, reason: "\(error.reason)")
    }
  }

  /// The record in a bundle; nil where the file is none.
  private static func packed(in file: FilePath) throws(JournalError) -> [UInt8]? {
    guard (try? Files.isFile(file)) == true, var reader = try? ArchiveReader(file) else { return nil }
    do throws(ArchiveError) {
      while let entry = try reader.next() {
        guard entry.path == Bundle.recordPath else { continue }
        var bytes: [UInt8] = []
        while bytes.count <= JournalRecord.readLimit, case let chunk = try reader.readChunk(), !chunk.isEmpty
        {
          bytes += chunk
        }
        return bytes
      }
      return nil
    } catch {
      // What is no archive at all is read as a record, which says what it is instead.
      return nil
    }
  }
}

extension JournalRecord {
  /// The record that a word of the caller's names: a number, or else a file; without one the newest.
  ///
  /// - Throws: `JournalError` where there is none, or it cannot be read.
  init(_ subject: String?, in journal: Journal, _ host: Host) throws(JournalError) {
    let file = if let subject { try journal.file(subject, host) } else { try journal.file(nil) }
    self = try StoredRecord(file).record
  }
}

extension Journal {
  /// The file of the record that a word of the caller's names.
  ///
  /// - Throws: `JournalError` where there is none of that number.
  fileprivate func file(_ subject: String, _ host: Host) throws(JournalError) -> FilePath {
    guard let number = Int(subject) else { return host.workingDirectory.pushing(FilePath(subject)) }
    return try file(number)
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
