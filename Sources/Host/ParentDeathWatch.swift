// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
internal import SystemPackage

/// A small process that outlives this one for a moment, to kill its children if it is killed.
///
/// The kernel's own parent-death signal reaches only the direct child, and comes when a thread ends.
final class ParentDeathWatch: Sendable {
  /// The watch of this process; it begins with the first child.
  static let shared = ParentDeathWatch()

  /// The process groups that are alive, and the pipe through which the watch learns of them.
  private struct State {
    var groups: [pid_t] = []
    var pipe: FileDescriptor?

    func tell() {
      let line = groups.map { "\($0)" }.joined(separator: " ") + "\n"
      _ = try? pipe?.writeAll(Array(line.utf8))
    }
  }

  private let state = Mutex(State())

  /// Each line names all groups; what the last line names is killed when the pipe closes.
  private static let script = """
    while read -r line; do groups=$line; done <&3
    for group in $groups; do kill -s KILL -- "-$group"; done
    """

  private init() {}

  func add(_ group: pid_t) {
    state.withLock { state in
      if state.pipe == nil { state.pipe = Self.start() }
      state.groups.append(group)
      state.tell()
    }
  }

  func remove(_ group: pid_t) {
    state.withLock { state in
      state.groups.removeAll { $0 == group }
      state.tell()
    }
  }

  /// Starts the process; without it, children are still killed as long as this process can do so.
  private static func start() -> FileDescriptor? {
    guard let pipe = try? FileDescriptor.closedOnExecPipe() else { return nil }
    defer { try? pipe.readEnd.close() }
    do {
      let nowhere = try Nowhere()
      let command = Command("/bin/sh", ["-c", script], environment: [:], descriptors: [3: pipe.readEnd])
      _ = try ChildProcess.spawn(command, output: nowhere.descriptor, errorOutput: nowhere.descriptor)
      return pipe.writeEnd
    } catch {
      try? pipe.writeEnd.close()
      return nil
    }
  }
}
