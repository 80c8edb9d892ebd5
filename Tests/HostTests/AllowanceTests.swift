// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What control groups and the kernel leave a process of processors and memory.
@Suite struct AllowanceTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try write("MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable: 8192000 kB\n", to: "proc/meminfo")
    try write("0::/user.slice/job\n", to: "proc/self/cgroup")
  }

  private func write(_ text: String, to name: String) throws { try directory.write(text, to: name) }

  private var allowance: Allowance {
    Allowance(
      processes: directory.path.appending("proc"), controlGroups: directory.path.appending("cgroup"))
  }

  private func jobs(_ processors: Int = 16) -> Int { allowance.jobs(processors: processors) }

  private static let mebibyte = 1 << 20

  @Test func eachJobHasAProcessorAndMemory() {
    #expect(jobs(4) == 4)
    #expect(jobs(64) == 20)
    #expect(allowance.hasRoom)
  }

  @Test func whereNothingCanBeReadThereAreOnlyProcessors() throws {
    let nothing = Allowance(processes: directory.path, controlGroups: directory.path)
    #expect(nothing.jobs(processors: 7) == 7 && nothing.hasRoom)
  }

  @Test(arguments: [("300000", 1), ("409600", 1), ("819200", 2), ("0", 1)])
  func littleMemoryMeansFewJobsButOne(_ kibibytes: String, _ expected: Int) throws {
    try write("MemAvailable: \(kibibytes) kB\n", to: "proc/meminfo")
    #expect(jobs() == expected)
    #expect(allowance.hasRoom == (kibibytes == "409600" || kibibytes == "819200"))
  }

  @Test(arguments: [
    ("max 100000", 16), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("", 16),
  ])
  func processorTimeOfAGroup(_ limit: String, _ expected: Int) throws {
    try write("\(limit)\n", to: "cgroup/user.slice/job/cpu.max")
    #expect(jobs() == expected)
  }

  @Test func theNarrowestOfAllGroupsAboveCounts() throws {
    try write("400000 100000\n", to: "cgroup/user.slice/job/cpu.max")
    try write("300000 100000\n", to: "cgroup/user.slice/cpu.max")
    #expect(jobs() == 3)
    try write("100000 100000\n", to: "cgroup/cpu.max")
    #expect(jobs() == 1)
  }

  @Test func memoryOfAGroup() throws {
    try write("max\n", to: "cgroup/user.slice/job/memory.max")
    try write("\(900 * Self.mebibyte)\n", to: "cgroup/user.slice/job/memory.current")
    #expect(jobs() == 16)
    try write("\(2000 * Self.mebibyte)\n", to: "cgroup/user.slice/job/memory.max")
    #expect(jobs() == 2)
    try write("\(1000 * Self.mebibyte)\n", to: "cgroup/user.slice/job/memory.high")
    #expect(jobs() == 1 && !allowance.hasRoom)
    try write(
      "anon 5\ninactive_file \(700 * Self.mebibyte)\n", to: "cgroup/user.slice/job/memory.stat")
    #expect(jobs() == 2 && allowance.hasRoom, "what is cached of files is given up")
  }

  @Test func groupsOfTheFirstVersion() throws {
    try write("5:memory:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/x\n0::/\n", to: "proc/self/cgroup")
    try write("-1\n", to: "cgroup/cpu/box/cpu.cfs_quota_us")
    try write("100000\n", to: "cgroup/cpu/box/cpu.cfs_period_us")
    try write("9223372036854771712\n", to: "cgroup/memory/box/memory.limit_in_bytes")
    try write("\(500 * Self.mebibyte)\n", to: "cgroup/memory/box/memory.usage_in_bytes")
    #expect(jobs() == 16)
    try write("250000\n", to: "cgroup/cpu/box/cpu.cfs_quota_us")
    #expect(jobs() == 3)
    try write("\(600 * Self.mebibyte)\n", to: "cgroup/memory/box/memory.limit_in_bytes")
    #expect(jobs() == 1 && !allowance.hasRoom)
  }

  /// Where only a part of the tree is mounted, as in a container, its root is the process's own group.
  @Test func aGroupWhosePathIsNotMountedIsLookedForAtTheRoot() throws {
    try write("4:cpu:/docker/1234\n", to: "proc/self/cgroup")
    try write("200000\n", to: "cgroup/cpu/cpu.cfs_quota_us")
    try write("100000\n", to: "cgroup/cpu/cpu.cfs_period_us")
    #expect(jobs() == 2)
  }

  @Test(arguments: [
    ("proc/pressure/memory", "9.99", true), ("proc/pressure/memory", "10.00", false),
    ("cgroup/user.slice/job/memory.pressure", "55.10", false),
  ])
  func pressureLeavesNoRoom(_ file: String, _ share: String, _ hasRoom: Bool) throws {
    try write("some avg10=\(share) avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00\n", to: file)
    #expect(allowance.hasRoom == hasRoom)
    #expect(jobs() == 16, "it only delays")
  }

  @Test func theMachineAtHandHasAnAllowance() {
    #expect((1...4).contains(Allowance().jobs(processors: 4)))
  }
}
