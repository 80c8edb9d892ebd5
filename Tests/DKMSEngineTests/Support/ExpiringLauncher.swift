// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport

/// Runs commands whose limit is reached when they make a sign, however long that takes them.
///
/// On a busy machine a child may need longer for its first line than any limit that a test would wait for.
struct ExpiringLauncher: CommandLauncher {
  /// The file that is the sign; it is removed.
  let sign: FilePath

  func run(_ command: Command) async throws(HostError) -> CommandResult {
    let reached: CommandResult.Termination? =
      command.silenceLimit.map { .silent($0) } ?? command.timeLimit.map { _ in .timedOut }
    var command = command
    (command.silenceLimit, command.timeLimit) = (nil, nil)
    guard let reached else { return try await ProcessLauncher().run(command) }
    let run = Task { [command] () async -> Result<CommandResult, HostError> in
      do throws(HostError) {
        return .success(try await ProcessLauncher().run(command))
      } catch {
        return .failure(error)
      }
    }
    let watch = Task { [sign] in
      while Disk.kind(sign) == nil {
        guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return false }
      }
      try? Files.remove(sign)
      run.cancel()
      return true
    }
    var result = try await run.value.get()
    watch.cancel()
    if await watch.value { result.termination = reached }
    return result
  }
}
