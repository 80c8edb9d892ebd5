// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import Synchronization

/// Runs commands, but for some programs, which only seem to run; keeps them all.
///
/// depmod runs also if it is one of them, until a test says how it ends.
final class InterceptingLauncher: CommandLauncher {
  private let intercepted: Set<String>
  private let recorded = Mutex<[Command]>([])
  private let answer = Mutex<(@Sendable (Command) -> CommandResult)?>(nil)
  private let launcher = Mutex<any CommandLauncher>(ProcessLauncher())

  init(_ programs: Set<String>) {
    intercepted = programs
  }

  func commands(_ program: String) -> [Command] {
    recorded.withLock { $0.filter { $0.program == program } }
  }

  /// How intercepted programs seem to end from now on.
  func answers(_ body: @escaping @Sendable (Command) -> CommandResult) {
    answer.withLock { $0 = body }
  }

  /// What runs other programs from now on.
  func runs(with launcher: any CommandLauncher) {
    self.launcher.withLock { $0 = launcher }
  }

  func run(_ command: Command) async throws(HostError) -> CommandResult {
    recorded.withLock { $0.append(command) }
    let answer = answer.withLock { $0 }
    if intercepted.contains(command.program) {
      if let answer { return answer(command) }
      if command.program != "depmod" { return CommandResult(.exited(0)) }
    }
    return try await launcher.withLock { $0 }.run(command)
  }
}
