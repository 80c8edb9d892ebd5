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
    let script = #"(sleep 300 & echo $! > "$0.new"; mv "$0.new" "$0"; wait); echo survived"#
    command = Command(
      "sh", ["-c", script, directory.path.appending("grandchild").string],
      environment: ["PATH": "/usr/bin:/bin"])
  }

  private var grandchild: String? { Files.text(directory.path.appending("grandchild")) }

  @Test func timeLimitKillsGrandchildren() async throws {
    var command = command
    command.timeLimit = .seconds(3)
    let result = try await ProcessLauncher().run(command)
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
    command.silenceLimit = .seconds(3)
    let result = try await ProcessLauncher().run(command)
    #expect(result.termination == .silent(.seconds(3)))
    #expect(result.status == 124)
    #expect(!result.isSuccess)
    let grandchild = try #require(self.grandchild)
    #expect(try await eventually { !isRunning(grandchild) })
  }

  @Test(arguments: [true, false])
  func whoeverPrintsIsNotSilent(onStandardError: Bool) async throws {
    let print = onStandardError ? "echo . >&2" : "echo ."
    let command = Command(
      "sh", ["-c", "for line in $(seq 25); do \(print); sleep 0.2; done; exit 3"],
      environment: ["PATH": "/usr/bin:/bin"], silenceLimit: .seconds(3))
    #expect(try await ProcessLauncher().run(command).termination == .exited(3))
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
