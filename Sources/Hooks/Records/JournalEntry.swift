// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
package import Host
internal import JSON
package import Journal

/// The record of the current call. If it cannot be written, that is a warning and stops nothing.
package actor JournalEntry {
  private var record: JournalRecord
  private let journal: Journal
  private let host: Host
  private var isBroken = false

  package init(_ record: JournalRecord, _ journal: Journal, _ host: Host) {
    self.record = record
    self.journal = journal
    self.host = host
  }

  /// Writes down what was handed over, before anything is looked at.
  package func begin() async { await write() }

  /// Writes down what was seen and decided, before anything is done.
  package func note(_ facts: some HookFacts, _ plan: some HookPlan) async {
    record.facts = facts.json
    record.plan = plan.json
    await write()
  }

  /// Writes down how it ended.
  ///
  /// - Returns: The whole record.
  @discardableResult
  package func end(
    _ status: Int32, _ outcomes: [Outcome] = [], error: DKMSError? = nil
  ) async -> JournalRecord {
    record.end = .init(time: host.now(), status: status, outcomes: outcomes, error: error)
    await write()
    return record
  }

  private func write() async {
    if isBroken { return }
    let (record, journal) = (record, journal)
    do throws(JournalError) {
      // A separate task, so that an interrupted call gets its record, too.
      let written = await Task { () async -> Result<JournalRecord, JournalError> in
        do throws(JournalError) {
          if record.number == 0 { return .success(try await journal.begin(record)) }
          try await journal.complete(record)
          return .success(record)
        } catch {
          return .failure(error)
        }
      }.value
      self.record = try written.get()
    } catch {
      isBroken = true
      Narrator(host.console).warn("this call is not recorded: \(error)")
    }
  }
}
