// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// A child is killed with all that it has started.
@Suite(.timeLimit(.minutes(60))) struct ProcessGroupTests {
  private let directory: TemporaryDirectory
  private let command: Command

  init() throws {
    directory = try TemporaryDirectory()
    let script = #"(sleep 3000 & echo $! > "$0.new"; mv "$0.new" "$0"; wait); echo survived"#
    command = Command(
      "sh", ["-c", script, directory.path.appending("grandchild").string],
      environment: ["PATH": "/usr/bin:/bin"])
  }

  private var grandchild: String? { Disk.text(directory.path.appending("grandchild")) }

  /// Runs the command with a limit that is longer each time, until the grandchild is there before it is reached.
  private func runIntoLimit(
    _ command: Command, _ limit: WritableKeyPath<Command, Duration?>
  ) async throws -> (CommandResult, Duration) {
    var command = command
    var seconds = 1
    while true {
      command[keyPath: limit] = .seconds(seconds)
      let result = try await ProcessLauncher().run(command)
      if grandchild != nil || seconds > 500 { return (result, .seconds(seconds)) }
      seconds *= 2
    }
  }

  @Test func timeLimitKillsGrandchildren() async throws {
    let (result, _) = try await runIntoLimit(command, \.timeLimit)
    #expect(result.termination == .timedOut)
    #expect(result.status == 124)
    #expect(!result.isSuccess)
    #expect(result.output.isEmpty)
    let grandchild = try #require(self.grandchild)
    #expect(try await eventually { !isRunning(grandchild) })
  }

  @Test func timeLimitThatIsNotReachedChangesNothing() async throws {
    let command = Command(
      "sh", ["-c", "echo done; exit 3"], environment: ["PATH": "/usr/bin:/bin"], timeLimit: .seconds(300))
    let result = try await ProcessLauncher().run(command)
    #expect(result.termination == .exited(3))
    #expect(result.text == "done\n")
  }

  @Test(arguments: [true, false])
  func silenceKillsGrandchildren(isCaptured: Bool) async throws {
    let log = try FileDescriptor.open(
      directory.write("before", to: "log"), .writeOnly, options: [.append, .closeOnExec])
    defer { try? log.close() }
    var command = command
    command.output = isCaptured ? .captured : .appended(log)
    let (result, limit) = try await runIntoLimit(command, \.silenceLimit)
    #expect(result.termination == .silent(limit))
    #expect(result.status == 124)
    #expect(!result.isSuccess)
    let grandchild = try #require(self.grandchild)
    #expect(try await eventually { !isRunning(grandchild) })
  }

  @Test(arguments: [true, false])
  func whoeverPrintsIsNotSilent(onStandardError: Bool) async throws {
    let print = onStandardError ? "echo . >&2" : "echo ."
    var result: CommandResult?
    // Where the child itself comes to a halt for a while, a longer limit tells more.
    for limit in [3, 12, 48] where result?.termination != .exited(3) {
      let lines = "seq \(limit * 10)"
      let command = Command(
        "sh", ["-c", "for line in $(\(lines)); do \(print); sleep 0.2; done; exit 3"],
        environment: ["PATH": "/usr/bin:/bin"], silenceLimit: .seconds(limit))
      result = try await ProcessLauncher().run(command)
    }
    #expect(result?.termination == .exited(3))
  }

  @Test func whatAChildLeavesBehindIsKilled() async throws {
    let result = try await ProcessLauncher().run(
      Command("sh", ["-c", "sleep 300 & echo $!"], environment: ["PATH": "/usr/bin:/bin"]))
    #expect(result.isSuccess)
    let grandchild = try #require(result.text.split(separator: "\n").first)
    #expect(!isRunning(String(grandchild)), "it is dead before the result is there")
  }

  @Test func cancellationKillsGrandchildren() async throws {
    let run = Task { try await ProcessLauncher().run(command) }
    #expect(try await eventually { self.grandchild != nil })
    let grandchild = try #require(self.grandchild)
    #expect(isRunning(grandchild))
    run.cancel()
    let result = try await run.value
    #expect(result.termination == .signalled(SIGKILL))
    #expect(result.output.isEmpty)
    #expect(try await eventually { !isRunning(grandchild) })
  }

  @Test func cancellationBeforehandKillsAtOnce() async throws {
    let run = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await ProcessLauncher().run(command)
    }
    #expect(try await run.value.termination == .signalled(SIGKILL))
  }
}
