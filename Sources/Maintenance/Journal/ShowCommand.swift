// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Journal

/// `alpm-dkms show`: what helpers were given, saw, planned and did.
public struct ShowCommand: JournalCommand {
  private let subject: String?
  private let printsJSON: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - subject: The number of a record, or a file; nil for all records of the last transaction.
  ///   - printsJSON: Whether programs read it.
  public init(_ subject: String? = nil, printsJSON: Bool = false) {
    self.subject = subject
    self.printsJSON = printsJSON
  }

  /// Shows what is asked for; 0 where it can be read.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(JournalError) {
      let records = try StoredRecord.named(subject, in: Journal(layout), host)
      if printsJSON, subject != nil {
        // It is printed as it is in the file, digests and all, so that it can be replayed elsewhere.
        for stored in records { host.console.print(String(decoding: stored.bytes.dropLast(), as: UTF8.self)) }
      } else if printsJSON {
        let list = JSON.array(records.map { JSON(encoding: $0.record) })
        host.console.print(JSON.document(schema: 2, [.init("records", list)]).text)
      } else {
        for line in records.map(\.record.words).joined(separator: [""]) {
          host.console.print(line.withVisibleControls)
        }
      }
      return 0
    } catch {
      return error.tell(host.console)
    }
  }
}
