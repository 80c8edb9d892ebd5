// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Runs of `dkms` that are killed just before a change they are about to make.
extension MountedMachine {
  /// A system call that changes the trees, and the path it is about.
  struct Change: Hashable, CustomStringConvertible {
    let call: String
    /// Nil where there is only one such call.
    let path: String?

    var description: String { "\(call) \(path ?? "")" }

    fileprivate static let calls = ["rename", "renameat2", "unlink", "rmdir", "symlink"]
    fileprivate static let trees = ["/var/lib/dkms/", "/usr/lib/modules/", "/usr/src/"]
  }

  /// The changes that a call would make, each once, in their order.
  func changes(by words: String) async throws -> [Change] { try await copy().changesHere(by: words) }

  /// The same, made by the call in this machine.
  func changesHere(by words: String) async throws -> [Change] {
    let run = try await shell(
      """
      strace -f -qq -e trace=\(Change.calls.joined(separator: ",")) -o /mnt/trace /mnt/dkms \(words) >&2
      cat /mnt/trace
      """)
    var known: Set<Change> = []
    let changes = run.output.split(separator: "\n").compactMap(Change.init).filter {
      known.insert($0).inserted
    }
    try #require(!changes.isEmpty, "\(run)")
    return changes
  }

  /// Makes a call and kills it just before it makes a change.
  func dkms(_ words: String, killedBefore change: Change) async throws {
    let run = try await dkms(words, with: "signal=KILL", at: change)
    #expect(run.status == 137, "\(change): \(run)")
  }

  /// Makes a call in which a change fails as on a full disk.
  func dkms(_ words: String, withoutRoomFor change: Change) async throws {
    _ = try await dkms(words, with: "error=ENOSPC", at: change)
  }

  private func dkms(_ words: String, with effect: String, at change: Change) async throws -> Run {
    let filter = change.path.map { "-P '\($0)'" } ?? ""
    return try await shell(
      """
      strace -f -qq -e trace=\(change.call) \(filter) -e inject=\(change.call):\(effect) -o /mnt/trace \
        /mnt/dkms \(words)
      """)
  }
}

extension MountedMachine.Change {
  /// A line of a trace, unless the call failed, or changes something else than the trees.
  fileprivate init?(traced line: Substring) {
    let words = line.drop { $0.isNumber || $0 == " " }
    let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
    guard !line.contains(" = -1 "), let end = words.firstIndex(of: "("), quoted.count > 2 else { return nil }
    call = String(words[..<end])
    // strace looks at the first path of those that have two.
    let path = String(quoted[call == "symlink" ? quoted.count - 2 : 1])
    guard Self.calls.contains(call), Self.trees.contains(where: path.hasPrefix) else { return nil }
    self.path = path
  }
}
