// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// What people are told while builds run, on a clock that the tests move.
@Suite(.timeLimit(.minutes(60))) struct ProgressTests {
  private var machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel
  private let clock = RecordedClock()
  /// The build waits until this file is there.
  private let end: FilePath

  init() throws {
    machine = try TemporaryMachine()
    kernel = try machine.addKernel("6.1.0")
    id = try module("slow", "1.0")
    end = machine.directory.path.appending("end")
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"until [[ -e \(end) ]]; do sleep 0.01; done; cp text slow.ko\"\n")
    try Files.makeDirectories(machine.layout.stateDirectory)
    machine.clock = clock.clock
  }

  private var output: [String] { machine.transcript.output }

  /// Builds, and lets a test move the clock while the build runs.
  private func build(on machine: TemporaryMachine, _ meanwhile: () async throws -> Void) async throws {
    let plan = Planner.build(
      id, for: [kernel], facts: try await machine.facts([id], [kernel]), options: machine.options)
    let narrator = Narrator(machine.host.console)
    let run = Task { try await Executor(machine.snapshot).execute(plan, observe: narrator.ended) }
    let log = machine.layout.buildLog(id, kernel)
    #expect(try await eventually { (Disk.text(log) ?? "").contains("# command: cp") || Disk.isFile(log) })
    try await meanwhile()
    try Files.write([], to: end)
    #expect(try await run.value.failures.isEmpty)
  }

  @Test func inAPipeBeginningEndAndEachMinuteAreLines() async throws {
    var machine = machine
    machine.signOfLife = .lines
    let log = machine.layout.buildLog(id, kernel)
    try await build(on: machine) { () async throws in
      #expect(try await eventually { output.contains("  -> building slow/1.0 for 6.1.0, log: \(log)") })
      #expect(Disk.isFile(log), "the log is where it is said to be")
      clock.advance(by: .seconds(60))
      #expect(try await eventually { output.last == "  -> still building slow/1.0 for 6.1.0, 1 min 0 s" })
      clock.advance(by: .seconds(63))
      #expect(try await eventually { output.last == "  -> still building slow/1.0 for 6.1.0, 2 min 3 s" })
    }
    #expect(
      output == [
        "  -> slow/1.0: added", "  -> building slow/1.0 for 6.1.0, log: \(log)",
        "  -> still building slow/1.0 for 6.1.0, 1 min 0 s",
        "  -> still building slow/1.0 for 6.1.0, 2 min 3 s", "  -> slow/1.0 for 6.1.0: built (2 min 3 s)",
      ])
  }

  @Test func aFailureIsToldWithItsTime() async throws {
    var machine = machine
    machine.signOfLife = .lines
    try machine.addTextModule(id, conf: "MAKE[0]=false\n")
    let plan = Planner.build(
      id, for: [kernel], facts: try await machine.facts([id], [kernel]), options: machine.options)
    let narrator = Narrator(machine.host.console)
    _ = try await Executor(machine.snapshot).execute(plan, observe: narrator.ended)
    #expect(output.last == "  -> slow/1.0 for 6.1.0: failed (0 s)")
    #expect(Disk.text(machine.layout.buildTimes) == nil, "how long it would have taken is not known")
  }

  @Test func whatScriptsReadIsAsItWas() async throws {
    try await build(on: machine) { clock.advance(by: .seconds(600)) }
    #expect(output == ["  -> slow/1.0: added", "  -> slow/1.0 for 6.1.0: built"])
  }

  @Test func onATerminalOneLineIsRewrittenAndNothingOfItRemains() async throws {
    let written = Mutex("")
    var machine = machine
    machine.signOfLife = .live(LiveLine(width: { 200 }) { text in written.withLock { $0 += text } })
    try Files.write(Array("slow/1.0 6.1.0 100\n".utf8), to: machine.layout.buildTimes)
    let screen = { Screen(written.withLock { $0 }) }
    try await build(on: machine) { () async throws in
      clock.advance(by: .seconds(7))
      let line = "0/1 built, about 1 min 33 s left: slow/1.0 for 6.1.0 7 s"
      #expect(try await eventually { screen().lines == [line] })
      clock.advance(by: .seconds(3))
      #expect(try await eventually { screen().erased.last == line })
    }
    #expect(screen().lines == [""])
    #expect(output == ["  -> slow/1.0: added", "  -> slow/1.0 for 6.1.0: built (10 s)"])
  }

  @Test func commandsThatArePrintedLeaveNoLineToRewrite() async throws {
    let written = Mutex("")
    var machine = machine
    machine.options.isVerbose = true
    machine.signOfLife = .live(LiveLine(width: { 200 }) { text in written.withLock { $0 += text } })
    try await build(on: machine) { clock.advance(by: .seconds(600)) }
    #expect(written.withLock { $0 }.isEmpty)
  }

  // MARK: Times of earlier builds

  @Test func theTimeOfABuildIsNoted() async throws {
    try Files.write(Array("other/1.0 6.1.0 3\nslow/1.0 6.1.0 100\n".utf8), to: machine.layout.buildTimes)
    try await build(on: machine) { clock.advance(by: .seconds(42)) }
    #expect(Disk.text(machine.layout.buildTimes) == "other/1.0 6.1.0 3\nslow/1.0 6.1.0 42")
  }

  @Test func whereTheHooksHaveNeverRunNothingIsLeftBehind() async throws {
    try Files.remove(machine.layout.stateDirectory)
    try await build(on: machine) {}
    #expect(Disk.kind(machine.layout.stateDirectory) == nil)
  }

  @Test func timesThatCannotBeReadOrWrittenChangeNothing() async throws {
    try Files.makeDirectories(machine.layout.buildTimes.appending("in the way"))
    try await build(on: machine) {}
    #expect(Disk.kind(machine.layout.buildTimes) == .directory)
  }

  @Test func theNearestEarlierBuildIsTheEstimate() throws {
    let text = """
      zfs/2.2.0 6.1.0 200
      zfs/2.3.1 6.1.0 80
      zfs/2.3.1 6.12.0 90
      damaged
      zfs/2.3.1 6.1.0 many
      zfs/2.3.1 6.1.0 -1
      zfs-extra/1 6.1.0 7

      """
    try Files.write(Array(text.utf8), to: machine.layout.buildTimes)
    let times = BuildTimes(in: machine.layout)
    let expected = { (name: String, version: String, release: String) in
      try times.expected(module(name, version), for: machine.kernel(release))
    }
    #expect(try expected("zfs", "2.3.1", "6.1.0") == 80)
    #expect(try expected("zfs", "2.3.1", "6.13.0") == 90)
    #expect(try expected("zfs", "2.4.0", "6.1.0") == 90)
    #expect(try expected("extra", "1", "6.1.0") == nil)
  }

  @Test func theOldestTimesGo() throws {
    let text = (1...600).map { "module\($0)/1 6.1.0 1\n" }.joined()
    try Files.write(Array(text.utf8), to: machine.layout.buildTimes)
    BuildTimes.note([.init(id, kernel, seconds: 5)], in: machine.layout)
    let lines = (Disk.text(machine.layout.buildTimes) ?? "").split(separator: "\n")
    #expect(lines.count == 500 && lines.first == "module102/1 6.1.0 1" && lines.last == "slow/1.0 6.1.0 5")
  }
}
