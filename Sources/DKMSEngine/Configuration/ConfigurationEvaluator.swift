// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Evaluates configuration files: plain ones by reading them, others as the bash programs that they are.
struct ConfigurationEvaluator: Sendable {
  private let bash: BashEvaluator

  /// Makes an evaluator in which bash has this long for all files together.
  init(host: Host, timeLimit: Duration = BashEvaluator.usualTimeLimit) {
    bash = BashEvaluator(host: host, timeLimit: timeLimit)
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
    let files = files.filter { Files.resolved($0) != nil }
    let environment = bash.environment(adding: environment)
    if let texts = try texts(of: files),
      let variables = try? PlainEvaluator.evaluate(texts, reading: names, environment: environment)
    {
      return variables
    }
    return try await bash.evaluate(files, reading: names, environment: environment)
  }

  /// What is in the files; nil where one is a pipe or a device, which only the time limit of bash may end.
  private func texts(of files: [FilePath]) throws(DKMSError) -> [[UInt8]]? {
    var texts: [[UInt8]] = []
    for file in files {
      guard !Files.isDirectory(file) else {
        throw .configurationUnreadable(path: file.string, detail: "it is a directory")
      }
      guard Files.isFile(file) else { return nil }
      do throws(HostError) {
        try texts.append(Files.read(file))
      } catch {
        throw .configurationUnreadable(path: file.string, detail: "\(error.reason)")
      }
    }
    return texts
  }
}
