// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
public import SystemPackage

/// The end of a program, as a test reads it.
public struct Run: Sendable, CustomStringConvertible {
  /// The exit status.
  public let status: Int32
  /// What it wrote to standard output.
  public let output: String
  /// What it wrote to standard error.
  public let errorOutput: String

  /// Runs a program with a small, fixed environment and, where told, an input, and waits for it.
  ///
  /// - Throws: `HostError` where it cannot be started.
  public static func program(
    _ program: FilePath, _ arguments: [String], environment: [String: String] = [:], input: [UInt8]? = nil
  ) async throws -> Run {
    var whole = ["HOME": "/root", "LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"]
    whole.merge(environment) { $1 }
    var command = Command(program.string, arguments, environment: whole)
    var inputFile: TemporaryDirectory?
    if let input {
      // A child of the launcher has no standard input, so a shell gives it this file.
      let directory = try TemporaryDirectory()
      try Files.write(input, to: directory.path.appending("input"))
      command = Command(
        "/bin/sh",
        ["-c", #"exec "$@" < "$0""#, directory.path.appending("input").string, program.string] + arguments,
        environment: whole)
      inputFile = directory
    }
    let result = try await ProcessLauncher().run(command)
    withExtendedLifetime(inputFile) {}
    return Run(status: result.status, output: result.text, errorOutput: result.errorText)
  }

  /// The lines of standard output.
  public var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// All of it, for the message of a test that fails.
  public var description: String {
    "status \(status)\n--- output\n\(output)--- error output\n\(errorOutput)"
  }
}
