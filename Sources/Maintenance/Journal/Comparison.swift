// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Hooks
internal import Host
internal import JSON

/// Two sets of facts with their plans, and where they differ.
struct Comparison {
  private let recorded: any HookPlan
  private let now: any HookPlan
  /// Where the facts differ, in the order of their members.
  let differences: [JSON.Difference]

  init(recorded: HookPreview, now: HookPreview) {
    self.recorded = recorded.plan
    self.now = now.plan
    differences = recorded.facts.json.differences(from: now.facts.json)
  }

  /// Says what is planned in both, what in only one of them, and which facts make the difference.
  func tell(_ console: Console) {
    for line in Self.merged(recorded.words, now.words) { console.print(line.withVisibleControls) }
    if recorded.json == now.json { console.print("==> The plans are the same") }
    if differences.isEmpty { console.print("==> The facts are the same") }
    for difference in differences {
      let change = "\(difference.place): recorded \(difference.left.brief), now \(difference.right.brief)"
      console.print("==> \(change.withVisibleControls)")
    }
  }

  /// The same for programs.
  var members: [JSON.Member] {
    [
      .init("recorded", recorded.json), .init("now", now.json),
      .init(
        "differences",
        .array(
          differences.map {
            .object([
              .init("place", .string($0.place)), .init("recorded", $0.left ?? .null),
              .init("now", $0.right ?? .null),
            ])
          })),
    ]
  }

  /// The lines of two plans: of both, of the first alone, of the second alone, by their order.
  static func merged(_ old: [String], _ new: [String]) -> [String] {
    let changes = new.difference(from: old)
    let removed = Set(changes.removals.map(\.place))
    let inserted = Set(changes.insertions.map(\.place))
    var lines: [String] = []
    var position = 0
    for (offset, line) in old.enumerated() {
      if removed.contains(offset) {
        lines.append("- \(line)")
        continue
      }
      while inserted.contains(position) {
        lines.append("+ \(new[position])")
        position += 1
      }
      lines.append("  \(line)")
      position += 1
    }
    return lines + new[position...].map { "+ \($0)" }
  }
}

extension CollectionDifference.Change {
  fileprivate var place: Int {
    switch self {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}

extension JSON? {
  /// The value in one line, shortened if it is long.
  fileprivate var brief: String {
    guard let self else { return "absent" }
    let line = self.text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
    return line.count > 200 ? "\(line.prefix(200))…" : line
  }
}
