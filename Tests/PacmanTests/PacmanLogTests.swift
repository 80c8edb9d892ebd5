// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

@testable import Host
@testable import Pacman

/// What pacman's log and the hook files tell of transactions.
@Suite struct PacmanLogTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var log: FilePath { directory.path.appending("var/log/pacman.log") }

  private func find(_ choice: PacmanLog.Choice, in text: String) throws -> PacmanLog.Answer {
    try directory.write(text, to: "var/log/pacman.log")
    return try PacmanLog.find(choice, in: LineReader(log))
  }

  private static let three = """
    [2019-03-01 10:00] [ALPM] transaction started
    [2019-03-01 10:00] [ALPM] installed old (1-1)
    [2019-03-01 10:00] [ALPM] transaction completed
    [2026-01-01T10:00:00+0000] [PACMAN] Running 'pacman -Syu'
    [2026-01-01T10:00:01+0000] [ALPM] running '70-dkms-upgrade.hook'...
    [2026-01-01T10:00:02+0000] [ALPM] transaction started
    [2026-01-01T10:00:03+0000] [ALPM] upgraded a-b (1:1-1 -> 1:2-1)
    [2026-01-01T10:00:03+0000] [ALPM] downgraded c (3-1 -> 2-1)
    [2026-01-01T10:00:03+0000] [ALPM] reinstalled d (1-1)
    [2026-01-01T10:00:03+0000] [ALPM] removed e (1-1)
    [2026-01-01T10:00:03+0000] [ALPM-SCRIPTLET] installed f (1-1)
    [2026-01-01T10:00:03+0000] [ALPM] warning: /etc/g installed as /etc/g.pacnew
    [2026-01-01T10:00:04+0000] [ALPM] transaction failed
    [2026-01-02T10:00:02+0000] [ALPM] transaction started
    [2026-01-02T10:00:03+0000] [ALPM] installed h (1-1)
    """

  @Test func everyOperationIsUnderstood() throws {
    let answer = try find(.number(2), in: Self.three)
    #expect(
      answer.transaction
        == LoggedTransaction(
          number: 2, time: "2026-01-01T10:00:02+0000",
          operations: [
            PackageOperation("a-b", .upgraded(from: "1:1-1", to: "1:2-1")),
            PackageOperation("c", .downgraded(from: "3-1", to: "2-1")),
            PackageOperation("d", .reinstalled(version: "1-1")),
            PackageOperation("e", .removed(version: "1-1")),
          ], end: .failed))
  }

  @Test func theOldestHasTheOldFormOfTime() throws {
    let answer = try find(.number(1), in: Self.three)
    #expect(answer.transaction?.time == "2019-03-01 10:00")
    #expect(answer.transaction?.operations == [PackageOperation("old", .installed(version: "1-1"))])
    #expect(answer.transaction?.end == .completed)
  }

  @Test func theLastMayHaveNoEnd() throws {
    let answer = try find(.last, in: Self.three)
    #expect(answer.transaction?.number == 3)
    #expect(answer.transaction?.operations == [PackageOperation("h", .installed(version: "1-1"))])
    #expect(answer.transaction?.end == nil)
  }

  @Test func whatIsNotThereIsCounted() throws {
    #expect(try find(.number(4), in: Self.three) == PacmanLog.Answer(transaction: nil, count: 3))
    #expect(try find(.last, in: "") == PacmanLog.Answer(transaction: nil, count: 0))
  }

  @Test func aLongLogIsReadInMemoryThatDoesNotGrow() throws {
    let ends = ["completed", "interrupted"]
    var text = ""
    // 25,000 transactions of four lines.
    for number in 1...25_000 {
      text += """
        [2026-01-01T10:00:00+0000] [ALPM] transaction started
        [2026-01-01T10:00:00+0000] [ALPM] installed package-\(number) (\(number)-1)
        [2026-01-01T10:00:00+0000] [ALPM-SCRIPTLET] \u{FFFD} whatever
        [2026-01-01T10:00:00+0000] [ALPM] transaction \(ends[number % 2])

        """
    }
    // One line that is longer than all that may be held.
    text += "[2026-01-01T10:00:00+0000] [ALPM-SCRIPTLET] \(String(repeating: "x", count: 1 << 20))\n"
    try directory.write(text, to: "var/log/pacman.log")
    for (choice, number) in [(PacmanLog.Choice.last, 25_000), (.number(12_345), 12_345), (.number(1), 1)] {
      let reader = try LineReader(log, chunkSize: 4096, lineLimit: 2048)
      let answer = try PacmanLog.find(choice, in: reader)
      #expect(
        answer.transaction?.operations == [
          PackageOperation("package-\(number)", .installed(version: "\(number)-1"))
        ])
      #expect(answer.transaction?.end?.rawValue == ends[number % 2])
      #expect(reader.greatestHold <= 4096 + 2048)
    }
  }

  @Test func linesComeWholeWhateverTheChunk() throws {
    try directory.write("a\n\nlonger line\nwithout end", to: "var/log/pacman.log")
    for size in 1...30 {
      let reader = try LineReader(log, chunkSize: size)
      var lines: [String] = []
      while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
      #expect(lines == ["a", "", "longer line", "without end"])
    }
  }

  // MARK: Triggers

  @Test func aTargetIsMatchedAsLibalpmDoes() {
    let match = { (patterns: [String], text: String) in TargetPatterns(patterns).match(text) }
    #expect(match(["usr/src/*/dkms.conf"], "usr/src/a/b/c/dkms.conf"))
    #expect(!match(["usr/src/*/dkms.conf"], "usr/src/dkms.conf"))
    #expect(match(["usr/*", "!usr/src/*", "usr/src/a*"], "usr/src/abc"))
    #expect(!match(["usr/*", "!usr/src/*", "usr/src/a*"], "usr/src/bc"))
    #expect(!match(["usr/*", "!usr/*"], "usr/x"))
    #expect(match(["!usr/*", "usr/*"], "usr/x"))
    #expect(match(["\\!odd"], "!odd"))
    #expect(!match(["usr/lib"], "usr/lib/"))
  }

  private func hook(
    _ operations: [String], _ targets: [String], type: String = "Path", when: String = "PostTransaction"
  ) throws -> HookFile {
    try HookFile(
      name: "a.hook",
      text: "[Trigger]\n" + operations.map { "Operation = \($0)\n" }.joined() + "Type = \(type)\n"
        + targets.map { "Target = \($0)\n" }.joined()
        + "[Action]\nWhen = \(when)\nExec = /usr/bin/a\nNeedsTargets\n")
  }

  private func targets(
    _ hook: HookFile, _ actions: [String: PackageOperation.Action], end: LoggedTransaction.End = .completed
  ) -> [FiredHook.Target] {
    let operations = actions.map { PackageOperation($0.key, $0.value) }
    let transaction = LoggedTransaction(number: 1, time: "", operations: operations, end: end)
    let known = ["new", "hello"].reduce(into: [String: KnownPackage]()) {
      $0[$1] = KnownPackage(version: "2-1", files: ["usr/src/\($1)/", "usr/src/\($1)/dkms.conf", "usr/"])
    }
    return FiredHooks(transaction, hooks: [hook], packages: known).hooks.flatMap(\.targets)
  }

  @Test func targetsAreSortedAndComeOnce() throws {
    let hook = try hook(["Install"], ["usr/src/*", "usr/src/*/dkms.conf"])
    #expect(
      targets(hook, ["new": .installed(version: "2-1"), "hello": .installed(version: "2-1")])
        == ["hello/", "hello/dkms.conf", "new/", "new/dkms.conf"].map {
          FiredHook.Target(line: "usr/src/\($0)", isCertain: true)
        })
  }

  @Test func operationsDecide() throws {
    let conf = "usr/src/hello/dkms.conf"
    let (install, upgrade) = (try hook(["Install"], [conf]), try hook(["Upgrade"], [conf]))
    let both = try hook(["Install", "Upgrade"], [conf])
    let sure = [FiredHook.Target(line: conf, isCertain: true)]
    let perhaps = [FiredHook.Target(line: conf, isCertain: false)]
    #expect(targets(install, ["hello": .installed(version: "2-1")]) == sure)
    #expect(targets(upgrade, ["hello": .installed(version: "2-1")]) == [])
    #expect(targets(upgrade, ["hello": .reinstalled(version: "2-1")]) == sure)
    #expect(targets(install, ["hello": .reinstalled(version: "2-1")]) == [])
    // Which paths the old version had is not known.
    #expect(targets(install, ["hello": .upgraded(from: "1-1", to: "2-1")]) == perhaps)
    #expect(targets(both, ["hello": .upgraded(from: "1-1", to: "2-1")]) == sure)
    // The path may be one that the other package had.
    let replacing: [String: PackageOperation.Action] = [
      "hello": .installed(version: "2-1"), "old": .removed(version: "1-1"),
    ]
    #expect(targets(install, replacing) == perhaps && targets(upgrade, replacing) == perhaps)
    #expect(targets(both, replacing) == sure)
    #expect(targets(try hook(["Remove"], [conf]), ["hello": .removed(version: "1-1")]) == [])
  }

  @Test func packagesAreTargetsToo() throws {
    let sure = { (name: String) in [FiredHook.Target(line: name, isCertain: true)] }
    #expect(
      targets(try hook(["Remove"], ["hel*"], type: "Package"), ["hello": .removed(version: "1-1")])
        == sure("hello"))
    let upgrade = try hook(["Upgrade"], ["hello"], type: "Package")
    #expect(targets(upgrade, ["hello": .downgraded(from: "3-1", to: "2-1")]) == sure("hello"))
    #expect(targets(upgrade, ["hello": .installed(version: "2-1")]) == [])
  }

  @Test func afterATransactionThatFailedOnlyTheFirstHooksHaveRun() throws {
    let before = try hook(["Install"], ["new"], type: "Package", when: "PreTransaction")
    let after = try hook(["Install"], ["new"], type: "Package")
    #expect(targets(before, ["new": .installed(version: "2-1")], end: .failed).count == 1)
    #expect(targets(after, ["new": .installed(version: "2-1")], end: .failed).isEmpty)
  }

  @Test(arguments: [
    "[Trigger]\nOperation = Burn\n", "Operation = Install\n", "[Trigger]\nnonsense\n",
    "[Trigger]\nOperation = Install\nType = Path\n[Action]\nWhen = PostTransaction\nExec = /a\n",
    "[Trigger]\nOperation = Install\nType = Path\nTarget = a\n[Action]\nExec = /a\n",
    "[Trigger]\nOperation = Install\nType = Path\nTarget = a\n[Action]\nWhen = PostTransaction\n",
  ])
  func whatPacmanWouldNotTakeIsRefused(_ text: String) {
    #expect(throws: HookFile.Malformed.self) { try HookFile(name: "a.hook", text: text) }
  }

  @Test(arguments: ["", "# nothing\n", "[Action]\nWhen = PostTransaction\n"])
  func aFileWithoutTriggersOnlyTakesTheNameOfAnother(_ text: String) throws {
    try directory.write("[Trigger]\n", to: "first/a.hook")
    try directory.write(text, to: "second/a.hook")
    let (hooks, problems) = try HookFile.all(
      in: ["first", "second"].map { directory.path.appending($0) })
    #expect(problems == [] && hooks.map(\.triggers) == [[]])
  }

  @Test func theHooksOfThisSuiteAreUnderstood() throws {
    let hooks = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
      .appending("hooks")
    let (found, problems) = try HookFile.all(in: [hooks])
    #expect(problems == [])
    #expect(found.map(\.name) == Disk.list(hooks).filter { $0.hasSuffix(".hook") })
  }
}
