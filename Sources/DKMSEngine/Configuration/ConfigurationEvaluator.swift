// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Evaluates configuration files: plain ones by reading them, others as the bash programs that they are.
struct ConfigurationEvaluator: Sendable {
  private let bash: BashEvaluator
  /// Where bash is to be confined if it can be; nil where it runs as this process's user.
  private let snapshot: Snapshot?
  /// Where files that others than root can change are not run; nil where they are.
  private let strictLayout: Layout?

  /// Makes an evaluator in which bash has this long for all files together.
  init(
    host: Host, timeLimit: Duration = BashEvaluator.usualTimeLimit, distrustsIn strictLayout: Layout? = nil
  ) {
    bash = BashEvaluator(host: host, timeLimit: timeLimit)
    snapshot = nil
    self.strictLayout = strictLayout
  }

  /// Makes an evaluator of files that come from modules.
  init(of snapshot: Snapshot) {
    bash = BashEvaluator(host: snapshot.host)
    self.snapshot = snapshot
    strictLayout = snapshot.options.trust == .strict ? snapshot.layout : nil
  }

  /// A configuration file as it was read.
  enum Content: Hashable {
    /// It is not there.
    case absent
    /// A file with this in it.
    case text([UInt8])
  }

  /// Evaluates files one after another and reads variables back.
  ///
  /// - Parameters:
  ///   - files: The files; one that does not exist is passed over.
  ///   - names: The variables to read.
  ///   - environment: What the files may refer to.
  /// - Returns: The values; none where there is no file.
  /// - Throws: `DKMSError.configurationUnreadable`, `DKMSError.configurationMalformed`.
  func evaluate(
    _ files: [FilePath], reading names: [String], environment: [String: String]
  ) async throws(DKMSError) -> Variables {
    try await evaluate(files, try contents(of: files), reading: names, environment: environment)
  }

  /// Evaluates files that have been read.
  ///
  /// - Throws: `DKMSError.configurationUnreadable`, `DKMSError.configurationMalformed`.
  func evaluate(
    _ files: [FilePath], _ contents: [Content], reading names: [String], environment: [String: String]
  ) async throws(DKMSError) -> Variables {
    let environment = bash.environment(adding: environment)
    let texts = contents.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
    if let variables = try? PlainEvaluator.evaluate(texts, reading: names, environment: environment) {
      return variables
    }
    let present = zip(files, contents).filter { $1 != .absent }.map(\.0)
    try checkTrust(in: present)
    var bash = bash
    // Plain files need no bash, so nothing is tried for them.
    if case .possible(let confinement)? = await snapshot?.confinement() { bash.confinement = confinement }
    return try await bash.evaluate(present, reading: names, environment: environment)
  }

  /// Plain files run nothing, so only what bash is to run is looked at here.
  private func checkTrust(in files: [FilePath]) throws(DKMSError) {
    guard let strictLayout, let first = files.first else { return }
    let exposures = try onFiles { () throws(HostError) in
      var reader = TrustReader(strictLayout, BuildOptions())
      return try reader.exposures(ofPrograms: files)
    }
    if !exposures.isEmpty { throw .untrusted(subject: first.string, exposures) }
  }

  /// What is in configuration files.
  ///
  /// - Throws: `DKMSError.configurationUnreadable`, also for a directory or a pipe, and for a file of more than 16 MiB.
  func contents(of files: [FilePath]) throws(DKMSError) -> [Content] {
    var contents: [Content] = []
    for file in files {
      do throws(HostError) {
        contents.append(try content(of: file))
      } catch {
        throw .configurationUnreadable(path: file.string, detail: "\(error.reason)")
      }
    }
    return contents
  }

  private func content(of file: FilePath) throws(HostError) -> Content {
    // A link to /dev/null means that there are no settings.
    if try Files.areSame(file, "/dev/null") { return .text([]) }
    return try Files.contents(file, Self.sizeLimit).map(Content.text) ?? .absent
  }

  /// No file of settings is larger by far.
  private static let sizeLimit = 16 << 20
}
