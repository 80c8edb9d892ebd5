// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A started child and the process group that it leads.
struct ChildProcess: Sendable {
  let identifier: pid_t

  static func spawn(
    _ command: Command, output: FileDescriptor, errorOutput: FileDescriptor
  ) throws(HostError) -> ChildProcess {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let nowhere = try Nowhere()
    posix_spawn_file_actions_adddup2(&actions, nowhere.descriptor.rawValue, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errorOutput.rawValue, STDERR_FILENO)
    // Descriptors are first moved to unused numbers: the target of one may be the source of another.
    let free = (command.descriptors.flatMap { [$0.key, $0.value.rawValue] }.max() ?? 0) + 1
    for (aside, descriptor) in zip(free..., command.descriptors.values) {
      posix_spawn_file_actions_adddup2(&actions, descriptor.rawValue, aside)
    }
    for (aside, number) in zip(free..., command.descriptors.keys) {
      posix_spawn_file_actions_adddup2(&actions, aside, number)
      posix_spawn_file_actions_addclose(&actions, aside)
    }
    // The child does not get descriptors that this process merely inherited: it could keep a pipe of pacman's
    // open.
    posix_spawn_file_actions_addclosefrom_np(&actions, (command.descriptors.keys.max() ?? STDERR_FILENO) + 1)
    posix_spawn_file_actions_addchdir_np(&actions, command.directory.string)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)

    var identifier = pid_t()
    let program = path(of: command)
    let environment = command.environment.map { "\($0.key)=\($0.value)" }.sorted()
    let code = withCStrings([command.program] + command.arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&identifier, program, &actions, &attributes, arguments, environment)
      }
    }
    guard code == 0 else { throw HostError("start", FilePath(command.program), Errno(rawValue: code)) }
    return ChildProcess(identifier: identifier)
  }

  /// The program, found in the `PATH` that the command has, not in this process's own.
  private static func path(of command: Command) -> String {
    if command.program.contains("/") { return command.program }
    let directories = (command.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return directories.lazy.map { "\($0)/\(command.program)" }.first {
      (try? Files.isExecutable(FilePath($0))) == true
    }
      ?? command.program
  }

  /// Waits for the child, and kills its group at a limit or when the task is cancelled; sizes are in bytes.
  ///
  /// Whatever ends it, nothing of the group is left.
  func wait(
    timeLimit: Duration?, silenceLimit: Duration?, outputLimit: Int?, processEvents: FilePath?,
    outputSize: @escaping @Sendable () -> Int64
  ) async -> CommandResult.Termination {
    ParentDeathWatch.shared.add(identifier)
    let cause = await withTaskCancellationHandler {
      await withTaskGroup(of: CommandResult.Termination?.self) { group in
        group.addTask {
          await self.exit()
          return nil
        }
        if let timeLimit {
          group.addTask {
            guard (try? await Task.sleep(for: timeLimit)) != nil else { return nil }
            self.killGroup()
            return .timedOut
          }
        }
        if let silenceLimit {
          group.addTask {
            guard await Self.isSilent(for: silenceLimit, outputSize) else { return nil }
            self.killGroup()
            return .silent(silenceLimit)
          }
        }
        if let processEvents {
          group.addTask {
            guard await Self.isCrowded(processEvents) else { return nil }
            self.killGroup()
            return .crowded
          }
        }
        if let outputLimit {
          group.addTask {
            guard await Self.exceeds(outputLimit, outputSize) else { return nil }
            self.killGroup()
            return .tooLoud(limit: outputLimit)
          }
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return await group.reduce(first) { $0 ?? $1 }
      }
    } onCancel: {
      self.killGroup()
    }
    // Until the child is reaped, the number cannot be reused for another group.
    killGroup()
    ParentDeathWatch.shared.remove(identifier)
    let termination = reap()
    await waitForGroup()
    return cause ?? termination
  }

  /// Waits until some output has not grown for a while; false where the task is cancelled before.
  ///
  /// It counts checks, not time, so that a machine that was suspended is not mistaken for a silent child.
  private static func isSilent(for limit: Duration, _ outputSize: () -> Int64) async -> Bool {
    let enough = 20
    var size = outputSize()
    var silentLooks = 0
    while silentLooks < enough {
      guard (try? await Task.sleep(for: limit / enough)) != nil else { return false }
      let newSize = outputSize()
      silentLooks = newSize == size ? silentLooks + 1 : 0
      size = newSize
    }
    return true
  }

  /// Waits until a control group has been refused a process; false where the task is cancelled before.
  private static func isCrowded(_ events: FilePath) async -> Bool {
    while ControlGroup.count("max", in: events) == 0 {
      guard (try? await Task.sleep(for: .milliseconds(250))) != nil else { return false }
    }
    return true
  }

  /// Waits until some output is larger than a limit; false where the task is cancelled before.
  ///
  /// What a fast writer prints between two looks still fits into memory.
  private static func exceeds(_ limit: Int, _ outputSize: () -> Int64) async -> Bool {
    while outputSize() <= limit {
      guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return false }
    }
    return true
  }

  private func killGroup() {
    kill(-identifier, SIGKILL)
  }

  /// Waits for the end without reaping, so that the process number still belongs to this child while others
  /// may signal it.
  private func exit() async {
    await onOwnThread {
      var information = siginfo_t()
      while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }
  }

  /// Waits until the killed are dead: the last of them may be writing, or hold the rest of a namespace.
  private func waitForGroup() async {
    guard kill(-identifier, 0) == 0 else { return }
    await onOwnThread {
      // This does not wait for ever: a process that hangs in a driver does not die, and the new parent of the
      // dead may not reap them.
      let (looks, microseconds): (Int, useconds_t) = (200, 10_000)
      for _ in 0..<looks where kill(-identifier, 0) == 0 { usleep(microseconds) }
    }
  }

  private func reap() -> CommandResult.Termination {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) }
  defer { copies.forEach { free($0) } }
  return body(copies + [nil])
}
