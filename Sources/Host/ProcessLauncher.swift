// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Starts real processes, each the leader of a process group of its own.
public struct ProcessLauncher: CommandLauncher {
  /// Makes a launcher.
  public init() {}

  /// Whether a process of this number runs.
  public static func isRunning(_ process: Int) -> Bool {
    guard let process = pid_t(exactly: process), process > 0 else { return false }
    return kill(process, 0) == 0 || errno == EPERM
  }

  /// Runs a command in a process of its own.
  ///
  /// - Throws: `HostError` where the program could not be started.
  public func run(_ command: Command) async throws(HostError) -> CommandResult {
    switch command.output {
    case .appended(let descriptor):
      let termination = try await run(
        command, output: descriptor, errorOutput: descriptor, outputLimit: nil)
      return CommandResult(termination)
    case .captured:
      let output = try Capture(of: command.program)
      let errorOutput = try Capture(of: command.program)
      let limit = command.outputLimit
      let termination = try await run(
        command, output: output.descriptor, errorOutput: errorOutput.descriptor, outputLimit: limit)
      // A child that ended between two looks may have printed more.
      let isTooLoud = output.descriptor.size + errorOutput.descriptor.size > limit
      return CommandResult(
        isTooLoud ? .tooLoud(limit: limit) : termination, output: try output.contents(atMost: limit),
        errorOutput: try errorOutput.contents(atMost: limit))
    }
  }

  private func run(
    _ command: Command, output: FileDescriptor, errorOutput: FileDescriptor, outputLimit: Int?
  ) async throws(HostError) -> CommandResult.Termination {
    let child = try ChildProcess.spawn(command, output: output, errorOutput: errorOutput)
    return await child.wait(
      timeLimit: command.timeLimit, silenceLimit: command.silenceLimit, outputLimit: outputLimit,
      processEvents: command.processEvents
    ) {
      output.size + errorOutput.size
    }
  }
}

/// An anonymous file that a child writes to.
private struct Capture: ~Copyable {
  let descriptor: FileDescriptor
  private let program: String

  init(of program: String) throws(HostError) {
    let raw = memfd_create("output", CUnsignedInt(LINUX_MFD_CLOEXEC))
    guard raw >= 0 else { throw HostError("capture the output of", FilePath(program), .current) }
    descriptor = FileDescriptor(rawValue: raw)
    self.program = program
  }

  deinit { try? descriptor.close() }

  func contents(atMost limit: Int) throws(HostError) -> [UInt8] {
    do {
      try descriptor.seek(offset: 0, from: .start)
      return try descriptor.readToEnd(atMost: limit)
    } catch {
      throw HostError("read the output of", FilePath(program), error as? Errno ?? .ioError)
    }
  }
}

/// Keeps the commands it is given and answers from a rule instead of running them.
public final class RecordingLauncher: CommandLauncher {
  private let recorded = Mutex<[Command]>([])
  private let answer: @Sendable (Command) -> CommandResult

  /// Makes a launcher that answers by a rule; without one, every command succeeds in silence.
  public init(answer: @escaping @Sendable (Command) -> CommandResult = { _ in CommandResult(.exited(0)) }) {
    self.answer = answer
  }

  /// The commands so far, in the order in which they came.
  public var commands: [Command] { recorded.withLock { $0 } }

  /// Records the command and answers it; never throws.
  public func run(_ command: Command) async throws(HostError) -> CommandResult {
    recorded.withLock { $0.append(command) }
    return answer(command)
  }
}
