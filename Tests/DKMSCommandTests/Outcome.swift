// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What a call of `dkms` came to.
struct Outcome: CustomStringConvertible {
  let call: String
  let by: MountedMachine.Program
  let run: Run
  /// Every path of the machine after it.
  let tree: [String]

  var status: Int32 { run.status }

  /// Standard output, in the words of the version whose behaviour is matched.
  var lines: [String] {
    by == .ours ? run.lines : run.lines.map(ReferenceVersion.modernise)
  }

  /// The tree without what only one of the two versions of the reference leaves.
  var comparableTree: Set<String> {
    Set(tree.filter { !ReferenceVersion.isPeculiar($0) })
  }

  var description: String { "\(by): \(call)\n\(run)" }

  /// Checks what is known of it; all that does not fit is told at once.
  @discardableResult
  func expect(
    _ status: Int32, output: [String]? = nil, says: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Outcome {
    var mismatches: [String] = []
    if self.status != status { mismatches.append("the status is \(self.status), not \(status)") }
    if let output, lines != output { mismatches.append("the output is not \(output)") }
    for text in says where !run.errorOutput.contains(text) {
      mismatches.append("standard error does not say '\(text)'")
    }
    report(mismatches, sourceLocation)
    return self
  }

  /// Checks that nothing on disk is other than it was.
  @discardableResult
  func expectUnchanged(since tree: [String], sourceLocation: SourceLocation = #_sourceLocation) -> Outcome {
    report(Self.difference(Set(tree), Set(self.tree), "before", "after"), sourceLocation)
    return self
  }

  /// Checks that the other implementation did the same.
  func expectSame(as other: Outcome, sourceLocation: SourceLocation = #_sourceLocation) {
    var mismatches: [String] = []
    // Both fail alike where the machine could not even be made.
    if [125, 126, 127].contains(status) { mismatches.append("the call did not happen") }
    if status != other.status { mismatches.append("the status is \(status), not \(other.status)") }
    if call.hasPrefix("dkms status"), lines != other.lines {
      mismatches.append("the lines are not \(other.lines)")
    }
    mismatches += Self.difference(comparableTree, other.comparableTree, "\(by)", "\(other.by)")
    report(mismatches + (mismatches.isEmpty ? [] : ["\(other)"]), sourceLocation)
  }

  private static func difference(
    _ left: Set<String>, _ right: Set<String>, _ leftName: String, _ rightName: String
  ) -> [String] {
    left.subtracting(right).sorted().map { "only \(leftName): \($0)" }
      + right.subtracting(left).sorted().map { "only \(rightName): \($0)" }
  }

  private func report(_ mismatches: [String], _ sourceLocation: SourceLocation) {
    if mismatches.isEmpty { return }
    Issue.record("\(mismatches.joined(separator: "\n"))\n\(self)", sourceLocation: sourceLocation)
  }
}

/// Differences between the reference at hand, 3.0.10, and the one that is matched, 3.4.3.
private enum ReferenceVersion {
  private static let words = [
    "(original_module exists)": "(Original modules exist)",
    "(WARNING! Diff between built and installed module!)":
      "(Differences between built and installed modules)",
    "(WARNING! Missing some built modules!)": "(Built modules are missing in the kernel modules folder)",
  ]

  static func modernise(_ line: String) -> String {
    words.reduce(line) { $0.replacing($1.key, with: $1.value) }
  }

  /// The old one keeps the kernel's configuration beside the log, the new one the symbols beside the modules; ours
  /// notes in a hidden file which kernel of that release a build is for.
  static func isPeculiar(_ path: String) -> Bool {
    path.hasSuffix("/log/.config") || path.hasSuffix("/module/Module.symvers") || path.hasSuffix("/.kernel")
  }
}

/// Two machines that start alike, one for each implementation.
struct Pair {
  let ours: MountedMachine
  let theirs: MountedMachine

  init(_ machine: MountedMachine) async throws {
    ours = try await machine.copy()
    theirs = try await machine.copy()
  }

  /// Calls both; checks that they do the same.
  @discardableResult
  func dkms(_ words: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Outcome {
    async let our = ours.dkms(words)
    async let their = theirs.dkms(words, by: .reference)
    let outcome = try await our
    outcome.expectSame(as: try await their, sourceLocation: sourceLocation)
    return outcome
  }

  /// Changes both alike.
  func change(_ body: (MountedMachine) throws -> Void) rethrows {
    try body(ours)
    try body(theirs)
  }
}
