// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import JSON
internal import Journal
internal import SystemPackage

/// `alpm-dkms record --bundle`: one file to attach to a bug report.
public struct BundleCommand: JournalCommand {
  private let subject: String?
  private let output: String?
  private let printsJSON: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - subject: The number of a record, or a file; nil for the newest record.
  ///   - output: The tarball; nil for `alpm-dkms-record-N.tar.gz` in the working directory.
  ///   - printsJSON: Whether programs read it.
  public init(_ subject: String? = nil, output: String? = nil, printsJSON: Bool = false) {
    self.subject = subject
    self.output = output
    self.printsJSON = printsJSON
  }

  /// Writes the tarball and says where; 0 where that went well.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(JournalError) {
      let record = try JournalRecord(subject, in: Journal(layout), host)
      let path = host.workingDirectory.pushing(
        FilePath(output ?? "alpm-dkms-record-\(record.number).tar.gz"))
      let trees = await trees(layout, host)
      try Bundle(record, trees, host).write(to: path)
      host.console.print(
        printsJSON
          ? JSON.object([.init("schema", .number(1)), .init("bundle", .string(path.string))]).text
          : "==> \(path): read it before you pass it on")
      return 0
    } catch {
      return error.tell(host.console)
    }
  }

  /// A framework.conf that cannot be read may be the very problem.
  private func trees(_ layout: Layout, _ host: Host) async -> Layout {
    (try? await Framework.read(over: layout, host: host).layout) ?? layout
  }
}
