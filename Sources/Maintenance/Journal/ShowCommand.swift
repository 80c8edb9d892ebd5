// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Journal
internal import SystemPackage

/// `alpm-dkms show`: what a helper was given, saw, planned and did.
public struct ShowCommand: JournalCommand {
  private let subject: String?
  private let printsJSON: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - subject: The number of a record, or a file; nil for the newest record.
  ///   - printsJSON: Whether programs read it.
  public init(_ subject: String? = nil, printsJSON: Bool = false) {
    self.subject = subject
    self.printsJSON = printsJSON
  }

  private func bytes(of file: FilePath) throws(JournalError) -> [UInt8] {
    do { return try Files.read(file) } catch { throw .unreadable(file, reason: "\(error.reason)") }
  }

  /// Shows the record; 0 where there is one.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(JournalError) {
      let file = try Journal(layout).file(subject, host)
      let record = try JournalRecord(reading: file)
      if printsJSON {
        // It is printed as it is in the file, digests and all, so that it can be replayed elsewhere.
        host.console.print(String(decoding: try bytes(of: file).dropLast(), as: UTF8.self))
      } else {
        for line in record.words { host.console.print(line.withVisibleControls) }
      }
      return 0
    } catch {
      return error.tell(host.console)
    }
  }
}
