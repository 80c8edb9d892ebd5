// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Glibc
internal import Host
internal import SystemPackage

/// A log of commands: one block for each, with what it printed.
struct BuildLog: ~Copyable {
  let path: FilePath
  private let descriptor: FileDescriptor
  private let echo: Console?

  /// Opens a log; `echo` is told of each command that is run.
  init(_ path: FilePath, echo: Console?) throws(DKMSError) {
    self.path = path
    self.echo = echo
    do {
      descriptor = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .append, .closeOnExec],
        permissions: .everyoneReads)
    } catch {
      let reason = error as? Errno ?? .ioError
      throw DKMSError(HostError("write", path, reason))
    }
  }

  /// Begins the log of a build, at a time in seconds since 1970.
  func writeHeader(of id: ModuleID, _ kernel: Kernel, at time: Int) {
    write("DKMS (dkms-\(Reference.version)) make.log for \(id) for kernel \(kernel)")
    write(Self.date(time))
  }

  deinit { try? descriptor.close() }

  /// Runs a command with its output in a block of its own.
  func run(
    _ title: String, _ text: String, _ command: Command, on host: Host
  ) async throws(DKMSError) -> CommandResult {
    write("\n\(title)\n\(Self.commandMark)\(text)")
    echo?.print("# \(text)")
    var command = command
    command.output = .appended(descriptor)
    let start = host.now()
    let result = try await host.run(command)
    if case .silent(let limit) = result.termination {
      write("\n# stopped because it had printed nothing for \(limit.inWords)")
    }
    write("\n# exit code: \(result.status)")
    write("# elapsed time: \(Self.clock(host.now() - start))")
    write(String(repeating: "-", count: 64))
    return result
  }

  private func write(_ text: String) {
    // Errors while writing are ignored: a full disk makes the build fail, too, and that is the error to
    // report.
    _ = try? descriptor.writeAll(Array("\(text)\n".utf8))
  }

  private static func clock(_ seconds: Int) -> String {
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
      .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  private static func date(_ time: Int) -> String {
    var seconds = time_t(time)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%a %b %e %H:%M:%S %Z %Y", &parts)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static let commandMark = "# command: "

  /// The first line of a log that says what went wrong.
  static func firstError(in path: FilePath, buildDirectories: [FilePath]) -> String? {
    guard let bytes = try? Files.read(path) else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.hasPrefix(commandMark) }
    let line = errorMarks.lazy.compactMap { mark in lines.first { mark($0) } }.first
    return line.map { line in
      buildDirectories.reduce(line) { $0.replacing("\($1)/", with: "") }
    }
  }

  /// What an error looks like, the most telling first.
  private static let errorMarks: [@Sendable (String) -> Bool] = [
    { $0.contains("No space left on device") },
    { $0.contains(" error: ") || $0.hasPrefix("error: ") || $0.contains(": fatal error:") },
    { $0.contains("ERROR: ") || $0.contains("Error: ") },
    { $0.contains(": command not found") || $0.contains("No such file or directory") },
    { $0.contains("*** ") },
  ]
}
