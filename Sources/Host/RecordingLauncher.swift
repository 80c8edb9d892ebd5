// SPDX-License-Identifier: GPL-2.0-or-later

internal import Synchronization

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

  /// Records the command and answers it.
  public func run(_ command: Command) async throws(HostError) -> CommandResult {
    recorded.withLock { $0.append(command) }
    return answer(command)
  }
}
