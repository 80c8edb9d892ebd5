// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// How much of the machine's processors and memory this process may use: by the kernel, and by the control groups that it
/// is in.
///
/// What cannot be read sets no limit.
public struct Allowance: Sendable {
  private let processes: FilePath
  private let controlGroups: FilePath

  /// Looks at these places.
  public init(processes: FilePath = "/proc", controlGroups: FilePath = "/sys/fs/cgroup") {
    self.processes = processes
    self.controlGroups = controlGroups
  }

  /// The memory that a compiler may take, in bytes.
  private static let memoryPerJob = 400 << 20

  /// How many jobs there is room for at once, at least one, where there are so many processors.
  public func jobs(processors: Int) -> Int {
    let limits = [processorLimit, memory.map { $0 / Self.memoryPerJob }].compactMap { $0 }
    return max(1, limits.reduce(processors, min))
  }

  /// Whether there is memory for another job, beside those that run.
  public var hasRoom: Bool { (memory ?? .max) >= Self.memoryPerJob && !isUnderPressure }

  /// The processors whose time the control groups give, a part of one counted as one; nil for all.
  private var processorLimit: Int? {
    groups("cpu").compactMap { group -> Int? in
      let limit =
        numbers(group.appending("cpu.max"))
        ?? numbers(group.appending("cpu.cfs_quota_us"), group.appending("cpu.cfs_period_us"))
      guard let limit, limit.count == 2, limit[0] > 0, limit[1] > 0 else { return nil }
      return (limit[0] - 1) / limit[1] + 1
    }.min()
  }

  /// The memory that is left, in bytes.
  private var memory: Int? {
    let available = value("MemAvailable:", in: processes.appending("meminfo")).map { $0 << 10 }
    return (groups("memory").compactMap(memory) + [available].compactMap { $0 }).min()
  }

  /// The memory that a group has left; what is cached of files is given up where it is wanted.
  private func memory(in group: FilePath) -> Int? {
    let versions = [
      ("memory.max", "memory.current", "inactive_file"),
      ("memory.high", "memory.current", "inactive_file"),
      ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ]
    return versions.compactMap { limit, usage, cache -> Int? in
      guard let limit = numbers(group.appending(limit)), let usage = numbers(group.appending(usage)) else {
        return nil
      }
      return limit[0] - usage[0] + (value(cache, in: group.appending("memory.stat")) ?? 0)
    }.min()
  }

  /// Whether processes have stood still for want of memory, for a tenth of the last ten seconds or longer.
  private var isUnderPressure: Bool {
    let files =
      [processes.appending("pressure/memory")] + groups("memory").map { $0.appending("memory.pressure") }
    return files.contains { file in
      // `some avg10=0.31 avg60=0.12 avg300=0.05 total=1142896`
      let words = (try? Files.text(file))?.split(separator: "\n").first?.split(separator: " ") ?? []
      let share = words.first { $0.hasPrefix("avg10=") }?.dropFirst(6).prefix { $0 != "." }
      return share.flatMap { Int($0) }.map { $0 >= 10 } ?? false
    }
  }

  /// The directories of the groups that limit what this process has of something, its own first.
  private func groups(_ controller: String) -> [FilePath] {
    ControlGroup.memberships(processes.appending("self/cgroup")).flatMap { member -> [FilePath] in
      let root = member.isUnified ? controlGroups : controlGroups.appending(controller)
      guard member.isUnified || member.controllers.contains(controller) else { return [] }
      return [root.appending(member.path.components)] + ControlGroup.ancestors(of: member.path, below: root)
    }
  }

  /// The number that follows a word at the beginning of a line.
  private func value(_ word: String, in file: FilePath) -> Int? {
    let lines = (try? Files.text(file))?.split(separator: "\n") ?? []
    let fields = lines.lazy.map { $0.split(separator: " ") }.first { $0.first.map(String.init) == word }
    return fields?.dropFirst().first.flatMap { Int($0) }
  }

  /// The numbers that files hold; nil where there is another word, which stands for no limit, or nothing.
  private func numbers(_ files: FilePath...) -> [Int]? {
    let words = files.flatMap { ((try? Files.text($0)) ?? "none").split(separator: " ") }
    let numbers = words.compactMap { Int($0) }
    return numbers.count == words.count && !numbers.isEmpty ? numbers : nil
  }
}
