// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import JSON
internal import Journal
internal import SystemPackage

/// A record with the files that explain it, to attach to a bug report.
struct Bundle {
  private let record: JournalRecord
  /// The other files, by their names in the bundle.
  private var files: [String: [UInt8]] = [:]
  private let redaction: Redaction

  init(_ record: JournalRecord, _ layout: Layout, _ host: Host) throws(JournalError) {
    redaction = Redaction(layout, host)
    let facts = try record.work.facts
    do {
      self.record = try redaction.applied(to: JSON(encoding: record)).decode()
    } catch {
      throw .notWritten("the names in the record cannot be taken out: \(error)")
    }
    add(layout.suiteConfiguration, as: "etc/alpm-dkms.conf")
    add(layout.configurationDirectory.appending("framework.conf"), as: "etc/dkms/framework.conf")
    let extra = layout.configurationDirectory.appending("framework.conf.d")
    // What cannot be read of the machine does not go in; the record is what counts.
    for name in (try? Files.list(extra)) ?? [] where name.hasSuffix(".conf") {
      add(extra.appending(name), as: "etc/dkms/framework.conf.d/\(name)")
    }
    for (id, directory) in facts?.sourceDirectories ?? [:] {
      add(FilePath(directory).appending("dkms.conf"), as: "sources/\(id.sourceDirectoryName)/dkms.conf")
    }
    for (index, log) in (record.end?.logs ?? []).enumerated() {
      add(FilePath(log), as: "logs/\(index + 1).log")
    }
  }

  private mutating func add(_ file: FilePath, as name: String) {
    guard let bytes = try? Files.read(file, upTo: Self.fileLimit) else { return }
    let text = redaction.applied(to: String(decoding: bytes, as: UTF8.self))
    files[redaction.applied(to: name)] = Array(text.utf8)
  }

  /// Where the record is in it.
  static let recordPath = directory.appending(recordName)
  private static let directory: FilePath = "alpm-dkms-record"
  private static let recordName = "record.json"

  /// The log of a build may be of any size; the first error is near its beginning.
  private static let fileLimit = 4 << 20

  /// Writes a tarball; the same record and files give the same bytes.
  ///
  /// - Throws: `JournalError`.
  func write(to path: FilePath) throws(JournalError) {
    let staged = Files.stagingPath(for: path)
    do {
      try Files.remove(staged)
      var writer = try ArchiveWriter(creating: staged, compression: ArchiveCompression(forFile: path))
      for (name, bytes) in files.merging([Self.recordName: record.file], uniquingKeysWith: { $1 })
        .sorted(by: { $0.key < $1.key })
      {
        let entry = ArchiveEntry(
          Self.directory.appending(FilePath(name).components), .file, permissions: .everyoneReads,
          modificationTime: record.began)
        try writer.add(entry, contents: bytes)
      }
      try writer.finish()
      try Files.rename(staged, to: path)
    } catch {
      try? Files.remove(staged)
      throw .notWritten("\(error)")
    }
  }
}

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
