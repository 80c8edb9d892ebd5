// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
public import SystemPackage

/// A control group for one command: a limit for all its processes together.
///
/// Both versions of control groups are known. In the second, a group with processes in it cannot have limited groups
/// below it, so the new group is made beside that of this process, or further up.
public struct ControlGroup: Sendable {
  /// The directories: one, or one for each controller in the first version.
  private let directories: [FilePath]

  /// Makes a group; nil where none can be had.
  ///
  /// - Parameters:
  ///   - memory: The memory that it may use, in bytes; nil for no limit.
  ///   - processes: The number of processes and threads that it may have; nil for no limit.
  ///   - root: Where control groups are mounted.
  ///   - membership: The groups of this process, as cgroups(7) describes the file.
  /// - Returns: The group, empty.
  public static func make(
    memory: Int?, processes: Int?, root: FilePath = "/sys/fs/cgroup",
    membership: FilePath = "/proc/self/cgroup"
  ) -> ControlGroup? {
    guard memory != nil || processes != nil else { return nil }
    let groups = memberships(membership)
    let name = "\(prefix)\(getpid())-\(made.add(1, ordering: .relaxed).newValue)"
    let limits = [
      ("memory", ["memory.max", "memory.limit_in_bytes"], memory), ("pids", ["pids.max"], processes),
    ]
    var group = ControlGroup(directories: [])
    if let own = groups.first(where: \.isUnified) {
      for parent in ancestors(of: own.path, below: root) {
        sweep(parent)
        guard let made = directory(name, in: parent, with: ["memory.max", "pids.max"]) else { continue }
        group = ControlGroup(directories: [made])
        break
      }
    }
    if group.directories.isEmpty {
      group = ControlGroup(
        directories: limits.compactMap { controller, files, _ in
          guard let own = groups.first(where: { $0.controllers.contains(controller) }) else { return nil }
          let parent = root.appending(controller).appending(own.path.components)
          sweep(parent)
          return directory(name, in: parent, with: files.suffix(1))
        })
    }
    let isLimited = limits.allSatisfy { _, files, limit in
      limit == nil || files.contains { group.write("\(limit ?? 0)", to: $0) }
    }
    // Processes that share the memory die together: what is left of a build is of no use.
    _ = group.write("1", to: "memory.oom.group")
    guard isLimited, !group.directories.isEmpty else {
      group.remove()
      return nil
    }
    return group
  }

  /// The files to which a process writes 0 in order to join.
  public var entrances: [FilePath] { directories.map { $0.appending("cgroup.procs") } }

  /// Counts how often the kernel has refused the group another process.
  public var processEvents: FilePath? { file("pids.events") }

  /// Whether the kernel has killed a process of the group because its memory was used up.
  public var hasRunOutOfMemory: Bool {
    ["memory.events", "memory.oom_control"].contains { name in
      file(name).map { Self.count("oom_kill", in: $0) > 0 } ?? false
    }
  }

  /// Removes the group; its processes must be over.
  public func remove() {
    // The last of them may need a moment to be gone.
    let (attempts, microseconds): (Int, useconds_t) = (50, 10_000)
    for directory in directories {
      for _ in 0..<attempts where rmdir(directory.string) != 0 && errno == EBUSY { usleep(microseconds) }
    }
  }

  /// The number that a file of events has for a word: `max 3`.
  static func count(_ word: String, in file: FilePath) -> Int {
    let lines = (try? Files.text(file))?.split(separator: "\n") ?? []
    return lines.lazy.map { $0.split(separator: " ") }
      .first { $0.count == 2 && $0[0] == word }.flatMap { Int($0[1]) } ?? 0
  }

  private static let prefix = "alpm-dkms-"
  private static let made = Atomic(0)

  /// A group that this process is in.
  struct Membership {
    /// What the group can limit; for the second version its files tell.
    let controllers: [String]
    /// Where it is in its hierarchy.
    let path: FilePath
    /// Whether the hierarchy is that of the second version.
    let isUnified: Bool
  }

  /// The groups of this process, as cgroups(7) describes the file: the number of the hierarchy, its controllers, and the
  /// path in it.
  static func memberships(_ file: FilePath) -> [Membership] {
    let lines = (try? Files.text(file))?.split(separator: "\n") ?? []
    return lines.compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return Membership(
        controllers: fields[1].split(separator: ",").map(String.init), path: FilePath(String(fields[2])),
        isUnified: fields[0] == "0")
    }
  }

  /// The directories above a group, the nearest first.
  static func ancestors(of group: FilePath, below root: FilePath) -> [FilePath] {
    var components = Array(group.components)
    var ancestors: [FilePath] = []
    repeat {
      components = components.dropLast()
      ancestors.append(root.appending(components))
    } while !components.isEmpty
    return ancestors
  }

  /// Makes a group that has these files; nil where it cannot be made, or lacks them.
  private static func directory(_ name: String, in parent: FilePath, with files: [String]) -> FilePath? {
    let directory = parent.appending(name)
    guard mkdir(directory.string, 0o755) == 0 else { return nil }
    if files.allSatisfy({ (try? Files.isFile(directory.appending($0))) == true }) { return directory }
    rmdir(directory.string)
    return nil
  }

  /// Removes groups of processes that were killed.
  private static func sweep(_ parent: FilePath) {
    for name in (try? Files.list(parent)) ?? [] where name.hasPrefix(prefix) {
      let process = name.dropFirst(prefix.count).prefix { $0 != "-" }
      guard let number = pid_t(process), kill(number, 0) != 0, errno == ESRCH else { continue }
      rmdir(parent.appending(name).string)
    }
  }

  private func file(_ name: String) -> FilePath? {
    directories.map { $0.appending(name) }.first { (try? Files.isFile($0)) == true }
  }

  /// Writes to the file itself: it is the kernel's.
  private func write(_ text: String, to name: String) -> Bool {
    guard let file = file(name), let descriptor = try? FileDescriptor.open(file, .writeOnly) else {
      return false
    }
    defer { try? descriptor.close() }
    return (try? descriptor.writeAll(Array(text.utf8))) != nil
  }
}
