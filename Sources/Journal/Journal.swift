// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
package import SystemPackage

/// The records of a system: one file for each call, in a directory that belongs to root; the oldest are
/// deleted.
package struct Journal: Sendable {
  /// Where they are.
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

    /// The default limits.
    package init(count: Int = 400, bytes: Int = 64 << 20, recordBytes: Int = 8 << 20) {
      self.count = count
      self.bytes = bytes
      self.recordBytes = recordBytes
    }
  }

  /// The journal in a directory, which need not be there.
  package init(_ directory: FilePath, limits: Limits = Limits()) {
    self.directory = directory
    self.limits = limits
  }

  // MARK: Writing

  /// Gives a record its number and writes it.
  ///
  /// - Returns: The record with its number.
  /// - Throws: `JournalError`; nothing is written.
  package func begin(_ record: JournalRecord) async throws(JournalError) -> JournalRecord {
    do throws(HostError) { try Files.makePrivateDirectory(directory) } catch { throw JournalError(error) }
    let lock = try await lock()
    var record = record
    record.number = (try numbers.last ?? 0) + 1
    sweep()
    try write(record)
    trim(keeping: record.number)
    lock.release()
    return record
  }

  /// Writes what became of a record that has begun.
  ///
  /// - Throws: `JournalError`; the record is then as it was before.
  package func complete(_ record: JournalRecord) async throws(JournalError) {
    let lock = try await lock()
    try write(record)
    trim(keeping: record.number)
    lock.release()
  }

  private func lock() async throws(JournalError) -> DirectoryLock {
    do throws(HostError) {
      return try await DirectoryLock.acquire(directory, .exclusive) {}
    } catch { throw JournalError(error) }
  }

  private func write(_ record: JournalRecord) throws(JournalError) {
    do throws(HostError) {
      try Files.write(fittingFile(record), to: path(record.number), permissions: [.ownerReadWrite])
      try Files.synchronize(directory)
    } catch { throw JournalError(error) }
  }

  /// The file of a record, without the parts that would make it too large.
  private func fittingFile(_ record: JournalRecord) -> [UInt8] {
    let whole = record.file
    if whole.count <= limits.recordBytes { return whole }
    var rest = record
    rest.facts = nil
    rest.omission = "its facts are left out: with them the record would take \(whole.count) bytes"
    if rest.file.count > limits.recordBytes {
      rest.plan = nil
      rest.end?.outcomes = nil
      rest.end?.logs = nil
      rest.omission = "its facts and plan are left out: with them the record would take \(whole.count) bytes"
    }
    return rest.file.count > limits.recordBytes ? rest.withoutTargets.file : rest.file
  }

  /// What a killed helper was about to write.
  private func sweep() {
    // What cannot be looked at is left for the next call to sweep.
    for name in (try? Files.list(directory)) ?? []
    where name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix) {
      try? Files.remove(directory.appending(name))
    }
  }

  private func trim(keeping newest: Int) {
    var bytes = 0
    for (index, number) in ((try? numbers) ?? []).reversed().enumerated() {
      bytes += min((try? Files.size(path(number))) ?? 0, limits.bytes + 1)
      if number != newest, index >= limits.count || bytes > limits.bytes {
        try? Files.remove(path(number))
      }
    }
  }

  // MARK: Reading

  /// The numbers of the records, in their order; none where there is no journal.
  ///
  /// - Throws: `JournalError` where the directory is there and cannot be read.
  package var numbers: [Int] {
    get throws(JournalError) {
      try checkAccess()
      let names: [String]
      do throws(HostError) { names = try Files.list(directory) } catch { throw JournalError(error) }
      return names.compactMap { name in
        guard name.hasSuffix(Self.suffix), let number = Int(name.dropLast(Self.suffix.count)) else {
          return nil
        }
        // The largest possible number would have no successor.
        return (1..<Int.max).contains(number) && name == "\(number)\(Self.suffix)" ? number : nil
      }.sorted()
    }
  }

  /// The file of a record.
  package func path(_ number: Int) -> FilePath { directory.appending("\(number)\(Self.suffix)") }

  private static let suffix = ".json"

  /// The file of the record of a number; without one of the newest.
  ///
  /// - Throws: `JournalError` where there is none, or the directory cannot be read.
  package func file(_ number: Int?) throws(JournalError) -> FilePath {
    let numbers = try numbers
    guard let number = number ?? numbers.last else { throw .empty(directory) }
    guard numbers.contains(number) else { throw .noRecord(number, newest: numbers.last) }
    return path(number)
  }

  /// The record of a number; without one the newest.
  ///
  /// - Throws: `JournalError` where there is none, or it cannot be read.
  package func record(_ number: Int?) throws(JournalError) -> JournalRecord {
    try JournalRecord(reading: try file(number))
  }

  /// The files of the records of the last transaction, the oldest first; just the newest where it is not known which
  /// others belong to it.
  ///
  /// - Throws: `JournalError` where there is none, or the newest cannot be read.
  package func lastTransaction() throws(JournalError) -> [FilePath] {
    let numbers = try numbers
    let newest = try file(nil)
    guard let transaction = try JournalRecord(reading: newest).transaction else { return [newest] }
    let earlier = numbers.dropLast().reversed().map(path).prefix { file in
      (try? JournalRecord(reading: file))?.transaction == transaction
    }
    return earlier.reversed() + [newest]
  }

  private func checkAccess() throws(JournalError) {
    do {
      try FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec]).close()
    } catch {
      guard let errno = error as? Errno, [.noSuchFileOrDirectory, .notDirectory].contains(errno) else {
        throw .unreadable(directory, reason: "\(error)")
      }
    }
  }

  // MARK: Unfinished work

  /// What earlier calls of a helper left to the next one.
  package struct Unfinished: Sendable {
    /// The last calls that did not finish, the oldest first, written by any version.
    package var calls: [JournalRecord] = []
    /// Records that may be among them but cannot be read, and why.
    package var problems: [JournalError] = []

    /// Nothing.
    package init() {}
  }

  /// The last calls of a helper that did not finish; the next call has to do their work.
  ///
  /// - Throws: `JournalError` where the directory cannot be read.
  package func unfinished(of helper: String) throws(JournalError) -> Unfinished {
    var unfinished = Unfinished()
    for number in try numbers.reversed() {
      do throws(JournalError) {
        let record = try JournalRecord(reading: path(number))
        guard record.helper == helper else { continue }
        if record.isSettled { break }
        unfinished.calls.append(record)
      } catch  where (try? Files.exists(path(number))) == false {
        // It went while the others were read.
      } catch {
        unfinished.problems.append(error)
      }
    }
    unfinished.calls.reverse()
    unfinished.problems.reverse()
    return unfinished
  }
}

extension JournalRecord {
  /// The last resort for one that would be too large.
  fileprivate var withoutTargets: JournalRecord {
    var record = JournalRecord(
      version: version ?? "", helper: helper, phase: phase ?? "", caller: caller ?? .pacman, targets: [],
      began: began)
    record.number = number
    record.omission = "nearly all is left out: its \(targets.count) targets alone are too large"
    record.end = end
    return record
  }
}
