// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Two calls at once, one of which is held up before one of its locks.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresTracing)
struct RaceTests {
  private static let kernel = Kernels.first

  /// Two calls that want opposite things of a module in some state.
  struct Pair: CustomTestStringConvertible, Sendable {
    let state: Prepared.State
    let one: String
    let other: String

    var testDescription: String { "\(state): \(one) and \(other)" }
  }

  private static let install = "install --force quick/1.0 -k \(kernel)"
  private static let build = "build --force quick/1.0 -k \(kernel)"
  private static let uninstall = "uninstall quick/1.0 -k \(kernel)"
  private static let unbuild = "unbuild quick/1.0 -k \(kernel)"
  private static let remove = "remove quick/1.0 --all"

  private static let pairs = [
    Pair(state: .built, one: "install quick/1.0 -k \(kernel)", other: unbuild),
    Pair(state: .built, one: "install quick/1.0 -k \(kernel)", other: remove),
    Pair(state: .installed, one: install, other: unbuild),
    Pair(state: .installed, one: install, other: remove),
    Pair(state: .installed, one: install, other: uninstall),
    Pair(state: .added, one: build, other: remove),
    Pair(state: .added, one: "autoinstall -k \(kernel)", other: remove),
    Pair(state: .added, one: "add quick/1.0", other: remove),
    Pair(state: .built, one: build, other: unbuild),
    Pair(state: .installed, one: uninstall, other: unbuild),
    Pair(state: .installed, one: remove, other: remove),
    Pair(state: .built, one: "mktarball quick/1.0 -k \(kernel) --archive=/usr/src/q.tar.gz", other: unbuild),
    Pair(state: .installed, one: "kernel_prerm -k \(kernel)", other: install),
  ]

  /// Makes both calls at once; the first waits a moment before the lock of this number, so that the other comes to
  /// every gap there is.
  private func race(
    _ held: String, _ other: String, beforeLock number: Int, on machine: MountedMachine
  ) async throws -> [(status: Int32, errors: String)] {
    let run = try await machine.shell(
      """
      mkdir /mnt/out
      strace -f -qq -e trace=flock -e inject=flock:delay_enter=500000:when=\(number) -o /mnt/trace \
        /mnt/dkms \(held) > /mnt/out/1 2> /mnt/out/1.errors &
      until [[ -s /mnt/trace ]] || ! kill -0 $!; do sleep 0.01; done
      sleep 0.1
      /mnt/dkms \(other) > /mnt/out/2 2> /mnt/out/2.errors
      status=$?
      wait $!
      echo $? $status
      sed 's/^/1/' /mnt/out/1.errors
      sed 's/^/2/' /mnt/out/2.errors
      """)
    try #require(run.status == 0, "\(run)")
    let statuses = try #require(run.lines.first).split(separator: " ").compactMap { Int32($0) }
    return zip(statuses, ["1", "2"]).map { status, mark in
      let errors = run.lines.dropFirst().filter { $0.hasPrefix(mark) }.map { $0.dropFirst() }
      return (status, errors.joined(separator: "\n"))
    }
  }

  @Test(
    "Of two calls at once either both did what they say, one after the other, or one says who came first",
    .takesLong, arguments: pairs)
  func atOnce(_ pair: Pair) async throws {
    let machine = try await Prepared.machine(pair.state)
    var ends: [[String]] = []
    // What they say where one follows the other, they may say here, too.
    var answers: Set<String> = []
    for order in [[pair.one], [pair.other], [pair.one, pair.other], [pair.other, pair.one]] {
      let copy = try await machine.copy()
      for words in order {
        answers.formUnion(try await copy.dkms(words).run.errorOutput.split(separator: "\n").map(String.init))
      }
      ends.append(copy.settledTree)
    }
    let (lonely, both, usual) = (ends[..<2], ends[2...], answers)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (held, other) in [(pair.one, pair.other), (pair.other, pair.one)] {
        for number in [1, 2, 4, 6] {
          group.addTask {
            let copy = try await machine.copy()
            let runs = try await race(held, other, beforeLock: number, on: copy)
            let tree = copy.settledTree
            let what: Comment = "\(held) before lock \(number), \(other): \(runs)\n\(tree)"
            #expect(!runs.contains { $0.errors.contains("No such file") }, what)
            if runs.allSatisfy({ $0.status == 0 }) {
              #expect(both.contains(tree), what)
            } else {
              #expect(both.contains(tree) || lonely.contains(tree), what)
              for run in runs where run.status != 0 {
                let lines = run.errors.split(separator: "\n").map(String.init)
                let isTold = run.errors.contains("meanwhile") || lines.contains(where: usual.contains)
                #expect(isTold, what)
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("Who had to wait for the run that came first is told its command and process")
  func winner() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "POST_REMOVE=hold")
    try machine.addScript(
      ": > /etc/dkms/reached; until [[ -e /etc/dkms/go ]]; do sleep 0.05; done", at: "src/quick-1.0/hold")
    try await machine.dkms(Self.install).expect(0)
    let run = try await machine.shell(
      """
      mkdir /mnt/out
      /mnt/dkms \(Self.remove) > /dev/null 2> /mnt/out/remover & remover=$!
      until [[ -e /etc/dkms/reached ]] || ! kill -0 $remover; do sleep 0.05; done
      /mnt/dkms \(Self.install) > /dev/null 2> /mnt/out/installer & installer=$!
      until grep -q Waiting /mnt/out/installer || ! kill -0 $installer; do sleep 0.05; done
      : > /etc/dkms/go
      wait $installer; wait $remover
      cat /mnt/out/*
      echo $remover $installer
      """)
    let processes = try #require(run.lines.last).split(separator: " ")
    let (remover, installer) = (
      "dkms \(Self.remove) (process \(processes[0]))", "dkms \(Self.install) (process \(processes[1]))"
    )
    #expect(run.output.contains("to finish with quick/1.0 for \(Self.kernel) (\(remover))..."), "\(run)")
    // Either may come to the next lock first, and the other is told.
    let isTold = [remover, installer].contains { run.output.contains("meanwhile by \($0)") }
    #expect(isTold, "\(run)")
  }
}

extension MountedMachine {
  /// The tree without what one of two runs leaves only until the next.
  fileprivate var settledTree: [String] {
    tree.filter { !$0.hasSuffix("/build/") && !$0.hasSuffix("var/quick/1.0/") }
  }
}
