// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import Host
internal import JSON
package import SystemPackage

/// The records of a system: a file a call in a directory of root's, the oldest of which go.
package struct Journal: Sendable {
  package let directory: FilePath
  private let limits: Limits

  /// How much is kept.
  package struct Limits: Hashable, Sendable {
    /// How many records.
    package var count = 400
    /// How many bytes in all of them.
    package var bytes = 64 << 20
    /// How many bytes in one.
    package var recordBytes = 8 << 20
  }

  package init(_ layout: Layout, limits: Limits = Limits()) {
    directory = layout.journal
    self.limits = limits
  }

  // MARK: Writing

  /// Gives a record its number and writes it.
  ///
  /// - Returns: The record with its number.
  /// - Throws: `HostError`.
  package func begin(_ record: JournalRecord) async throws(HostError) -> JournalRecord {
    try Files.makePrivateDirectory(directory)
    let lock = try await DirectoryLock.acquire(directory, .exclusive) {}
    var record = record
    record.number = (numbers.last ?? 0) + 1
    sweep()
    try write(record)
    trim(keeping: record.number)
    lock.release()
    return record
  }

  /// Writes what became of a record that has begun.
  ///
  /// - Throws: `HostError`; the record stands as it was then.
  package func complete(_ record: JournalRecord) async throws(HostError) {
    let lock = try await DirectoryLock.acquire(directory, .exclusive) {}
    try write(record)
    trim(keeping: record.number)
    lock.release()
  }

  private func write(_ record: JournalRecord) throws(HostError) {
    try Files.write(fittingFile(record), to: path(record.number), permissions: [.ownerReadWrite])
    try Files.synchronize(directory)
  }

  /// The file of a record, or of as much of it as is not too large.
  private func fittingFile(_ record: JournalRecord) -> [UInt8] {
    let whole = record.file
    if whole.count <= limits.recordBytes { return whole }
    var rest = record
    rest.facts = nil
    rest.omission = "its facts are left out: with them the record would take \(whole.count) bytes"
    if rest.file.count > limits.recordBytes {
      rest.plan = nil
      rest.end = record.end.map { .init(time: $0.time, status: $0.status, error: $0.error) }
      rest.omission = "its facts and plan are left out: with them the record would take \(whole.count) bytes"
    }
    return rest.file.count > limits.recordBytes ? rest.withoutTargets.file : rest.file
  }

  /// What a killed helper was about to write.
  private func sweep() {
    for name in Files.list(directory) where name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix) {
      try? Files.remove(directory.appending(name))
    }
  }

  private func trim(keeping newest: Int) {
    var bytes = 0
    for (index, number) in numbers.reversed().enumerated() {
      bytes += Files.size(path(number)) ?? 0
      if number != newest, index >= limits.count || bytes > limits.bytes {
        try? Files.remove(path(number))
      }
    }
  }

  // MARK: Reading

  /// The numbers of the records, in their order.
  package var numbers: [Int] {
    Files.list(directory).compactMap { name in
      guard name.hasSuffix(Self.suffix), let number = Int(name.dropLast(Self.suffix.count)) else {
        return nil
      }
      // The greatest number of all would have no successor.
      return (1..<Int.max).contains(number) && name == "\(number)\(Self.suffix)" ? number : nil
    }.sorted()
  }

  /// The file of a record.
  package func path(_ number: Int) -> FilePath { directory.appending("\(number)\(Self.suffix)") }

  private static let suffix = ".json"

  /// The record of a number; without one the newest.
  ///
  /// - Throws: `JournalError`.
  package func record(_ number: Int?) throws(JournalError) -> JournalRecord {
    try checkAccess()
    guard let number = number ?? numbers.last else { throw .empty(directory) }
    guard Files.kind(path(number)) != nil else { throw .noRecord(number, newest: numbers.last) }
    return try JournalRecord(reading: path(number))
  }

  /// The last calls of a helper that did not come to their end, the oldest first: the next one has to do what they
  /// were to do.
  package func unsettledCalls(of helper: HelperKind) -> [JournalRecord] {
    guard helper.resumes else { return [] }
    var calls: [JournalRecord] = []
    for number in numbers.reversed() {
      guard let record = try? JournalRecord(reading: path(number)), record.helper == helper else { continue }
      if record.isSettled { break }
      calls.append(record)
    }
    return calls.reversed()
  }

  /// - Throws: `JournalError` where the directory is there and not for this user to read.
  package func checkAccess() throws(JournalError) {
    if Files.isDirectory(directory), !Files.isReadable(directory) {
      throw .unreadable(directory, reason: "\(Errno.permissionDenied)")
    }
  }
}

extension JournalRecord {
  /// The last resort for one that would be too large.
  fileprivate var withoutTargets: JournalRecord {
    var record = JournalRecord(helper, by: caller, targets: [], began: began)
    record.number = number
    record.omission = "nearly all is left out: its \(targets.count) targets alone are too large"
    record.end = end
    return record
  }
}
