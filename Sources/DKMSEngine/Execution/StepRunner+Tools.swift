// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host

extension StepRunner {
  /// Runs a program that must succeed.
  @discardableResult
  func tool(_ program: String, _ arguments: [String]) async throws(DKMSError) -> CommandResult {
    echo?.print("# \(([program] + arguments).joined(separator: " "))")
    let result = try await host.run(Command(program, arguments, environment: buildEnvironment))
    guard result.isSuccess else {
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      throw .system(
        operation: "run", subject: "\(program) on \(arguments.last ?? "")",
        reason: complaint ?? "it ended with status \(result.status)")
    }
    return result
  }
}
