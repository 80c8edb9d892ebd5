// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Journal
internal import SystemPackage

/// A record with the files that explain it, to attach to a bug report.
///
/// What goes in is listed here, and nothing else does: the record, the settings by their names, the dkms.conf of each
/// module, and the logs that the record names, if they are logs of this suite. No variable of the environment goes in,
/// and no command of the administrator's.
struct Bundle {
  private let record: JournalRecord
  /// The files, by their names in the bundle.
  private var files: [String: [UInt8]] = [:]
  private let redaction: Redaction
  private let layout: Layout

  /// Collects what goes in.
  ///
  /// - Parameters:
  ///   - record: The record.
  ///   - framework: What is set for every module; nil where that cannot be read, which may be the very problem.
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  /// - Throws: `JournalError` where the record cannot be read, or not without what must not be passed on.
  init(_ record: JournalRecord, _ framework: Framework?, _ layout: Layout, _ host: Host) throws(JournalError)
  {
    self.layout = framework?.layout ?? layout
    var redaction = Redaction(layout, host)
    for file in Self.settings(in: layout) { redaction.learn(from: file) }
    let work = try record.work
    let facts = work.facts
    redaction.phrases = Self.commands(in: facts, framework)
    self.redaction = redaction
    // What this version does not know is not passed on.
    var record = record
    record.facts = facts?.json
    record.plan = work.plan?.json
    do {
      self.record = try redaction.applied(to: JSON(encoding: record)).decode()
    } catch {
      throw .notWritten("the names in the record cannot be taken out: \(error)")
    }
    files[Self.recordName] = self.record.file
    add(Self.lines(of: framework), as: "etc/dkms/framework.conf")
    if let text = try? Files.contents(layout.suiteConfiguration, Self.fileLimit) {
      add(SuiteConfiguration.settings(in: text), as: "etc/alpm-dkms.conf")
    }
    for (id, directory) in facts?.sourceDirectories ?? [:] {
      add(FilePath(directory).appending("dkms.conf"), as: "sources/\(id.sourceDirectoryName)/dkms.conf")
    }
    for (index, log) in (record.end?.logs ?? []).enumerated() where isLog(FilePath(log)) {
      add(FilePath(log), as: "logs/\(index + 1).log")
    }
  }

  /// What goes in: the name of each file in the bundle, and its size in bytes.
  var contents: [(name: String, size: Int)] {
    files.map { ($0.key, $0.value.count) }.sorted { $0.name < $1.name }
  }

  private mutating func add(_ lines: [String], as name: String) {
    let text = redaction.applied(to: lines.map { "\($0)\n" }.joined())
    files[redaction.applied(to: name)] = Array(text.utf8)
  }

  /// What cannot be read of the machine does not go in; the record is what counts.
  private mutating func add(_ file: FilePath, as name: String) {
    // A link may lead to anything that root can read.
    guard (try? Files.kind(file)) == .file, var bytes = try? Files.read(file, upTo: Self.fileLimit) else {
      return
    }
    if bytes.count == Self.fileLimit {
      // Half of a secret has another shape.
      bytes = Array(bytes[...(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)])
    }
    let text = redaction.applied(to: String(decoding: bytes, as: UTF8.self))
    files[redaction.applied(to: name)] = Array(text.utf8)
  }

  /// Where the record is in it.
  static let recordPath = directory.appending(recordName)
  private static let directory: FilePath = "alpm-dkms-record"
  private static let recordName = "record.json"

  /// The log of a build may be of any size; the first error is near its beginning.
  private static let fileLimit = 4 << 20

  /// Whether a file that a record names is a log of this suite; a record may come from anywhere.
  private func isLog(_ file: FilePath) -> Bool {
    guard file.extension == "log", let place = try? Files.resolved(file.removingLastComponent()) else {
      return false
    }
    let trees = [layout.dkmsTree, layout.stateDirectory].compactMap { try? Files.resolved($0) }
    return trees.contains { place.starts(with: $0) }
  }

  // MARK: Settings

  /// What framework.conf sets, a line each; a command of the administrator's may hold anything.
  private static func lines(of framework: Framework?) -> [String] {
    guard let framework else { return ["# it cannot be evaluated"] }
    return framework.settings.sorted { $0.key < $1.key }.map { name, value in
      name == "post_transaction" ? "# post_transaction is set, and left out here" : "\(name)='\(value)'"
    }
  }

  /// The texts of the administrator's settings, whose secrets are to be found elsewhere, too.
  private static func settings(in layout: Layout) -> [String] {
    let directory = layout.configurationDirectory
    let directories = [directory, directory.appending("framework.conf.d")]
    return directories.flatMap { directory in
      ((try? Files.list(directory)) ?? []).filter { $0.hasSuffix(".conf") }.compactMap {
        try? Files.text(directory.appending($0))
      }
    }
  }

  /// The administrator's command as it stands in facts, plans and messages, and what becomes of it there.
  private static func commands(in facts: (any HookFacts)?, _ framework: Framework?) -> [String: String] {
    let modules = (facts as? ModuleFacts) ?? (facts as? SourceFacts)?.removal
    let releases = Set((modules?.facts.kernels.keys).map { $0.map(\.release.description) } ?? [])
    let commands = [modules?.options.postTransaction, framework?.options.postTransaction].compactMap { $0 }
    var phrases: [String: String] = [:]
    for command in commands {
      for release in releases.union([KernelText.placeholder]) {
        let text = command.value(for: release)
        let isForOneKernel = command.value(for: "1") != command.value(for: "2")
        phrases[text] = isForOneKernel ? "(post_transaction) \(release)" : "(post_transaction)"
      }
    }
    return phrases
  }

  /// Writes a tarball; the same record and files give the same bytes.
  ///
  /// - Throws: `JournalError` where it cannot be written.
  func write(to path: FilePath) throws(JournalError) {
    let staged = Files.stagingPath(for: path)
    do {
      try Files.remove(staged)
      var writer = try ArchiveWriter(creating: staged, compression: ArchiveCompression(forFile: path))
      for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
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

  /// Says what goes in, writes the tarball and says where; 0 where that went well.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(JournalError) {
      let record = try JournalRecord(subject, in: Journal(layout), host)
      let path = host.workingDirectory.pushing(
        FilePath(output ?? "alpm-dkms-record-\(record.number).tar.gz"))
      let bundle = try Bundle(record, try? await Framework.read(over: layout, host: host), layout, host)
      if !printsJSON {
        host.console.print("==> \(path) holds:")
        for file in bundle.contents { host.console.print("  -> \(file.name), \(file.size.counted("byte"))") }
      }
      try bundle.write(to: path)
      host.console.print(
        printsJSON ? bundle.json(at: path).text : "==> \(path): read it before you pass it on")
      return 0
    } catch {
      return error.tell(host.console)
    }
  }
}

extension Bundle {
  /// What programs get of it.
  fileprivate func json(at path: FilePath) -> JSON {
    let files = contents.map {
      JSON.object([.init("name", .string($0.name)), .init("size", .number($0.size))])
    }
    return .document(
      schema: 1, [.init("bundle", .string(path.string)), .init("files", .array(files))])
  }
}
