// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

/// `--rpm_safe_upgrade`: when a package manager installs the new package before it removes the old one, the
/// module that both share must not be removed.
///
/// The format of the note is the reference's: it is named after the package manager's process, and holds the
/// module and the time at which that process started.
struct SafeUpgrade {
  private let id: ModuleID
  private let layout: Layout
  private let host: Host

  init(of id: ModuleID, in layout: Layout, host: Host) {
    self.id = id
    self.layout = layout
    self.host = host
  }

  /// Notes that the module was added by the process that called our caller.
  ///
  /// - Throws: `DKMSError.system` also where it cannot be told when that process started: the module would be removed.
  func begin() async throws(DKMSError) {
    guard let process = try Self.packageManager(), let time = try await startTime(of: process) else { return }
    do {
      let file = layout.temporaryDirectory.appending(Self.prefix(process) + id.sourceDirectoryName)
      try Files.write(Array("\(id.sourceDirectoryName)\n\(time)\n".utf8), to: file)
    } catch {
      throw DKMSError(error)
    }
  }

  /// Whether the same process added the module before; the note is then deleted.
  ///
  /// - Throws: `DKMSError.system` also where there is a note and it cannot be told when that process started.
  func end(isDryRun: Bool) async throws(DKMSError) -> Bool {
    guard let process = try Self.packageManager() else { return false }
    let notes = try files(beginningWith: Self.prefix(process))
    guard !notes.isEmpty, let time = try await startTime(of: process) else { return false }
    for file in notes {
      let lines = try text(of: file).split(separator: "\n")
      guard lines.first.map(String.init) == id.sourceDirectoryName,
        lines.last?.split(separator: " ").joined(separator: " ") == time
      else { continue }
      if !isDryRun {
        do { try Files.remove(file) } catch { throw DKMSError(error) }
      }
      return true
    }
    return false
  }

  private func files(beginningWith prefix: String) throws(DKMSError) -> [FilePath] {
    let directory = layout.temporaryDirectory
    do { return try Files.list(directory, beginningWith: prefix).map(directory.appending) } catch {
      throw DKMSError(error)
    }
  }

  private func text(of file: FilePath) throws(DKMSError) -> String {
    do { return try Files.text(file) ?? "" } catch { throw DKMSError(error) }
  }

  private static func prefix(_ process: String) -> String { "dkms_rpm_safe_upgrade_lock.\(process)." }

  /// The process that started the script that started us.
  private static func packageManager() throws(DKMSError) -> String? {
    guard let script = try parent(of: "self") else { return nil }
    return try parent(of: script)
  }

  private static func parent(of process: String) throws(DKMSError) -> String? {
    let status = try onFiles { () throws(HostError) in try Files.text(FilePath("/proc/\(process)/status")) }
    let line = status?.split(separator: "\n").first { $0.hasPrefix("PPid:") }
    return line?.split(whereSeparator: \.isWhitespace).last.map(String.init)
  }

  /// When a process started, in the words of ps; nil where there is none of that number, or no ps.
  private func startTime(of process: String) async throws(DKMSError) -> String? {
    let command = Command(
      "ps", ["-o", "lstart", "--no-headers", "-p", process], environment: host.environment)
    let result: CommandResult
    do { result = try await host.launcher.run(command) } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw DKMSError(error)
    }
    let words = result.text.split(whereSeparator: \.isWhitespace)
    if result.termination == .exited(1), words.isEmpty, result.errorText.isEmpty { return nil }
    guard result.isSuccess, !words.isEmpty else {
      throw .system(operation: "ask ps about", subject: "process \(process)", reason: "it gave no answer")
    }
    return words.joined(separator: " ")
  }
}
