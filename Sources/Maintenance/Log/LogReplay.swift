// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Hooks
internal import Host
internal import JSON
internal import Pacman

/// What can be worked out about a transaction that was never recorded.
struct LogReplay {
  let transaction: LoggedTransaction
  let fired: FiredHooks
  /// What our hooks would do now, by the names of their files.
  let plans: [String: any HookPlan]

  /// What is said for people.
  func lines(_ style: OutputStyle) -> [String] {
    let end = transaction.end?.rawValue ?? "without an end in the log"
    var operations = Table()
    for operation in transaction.operations {
      operations.append([
        .init(operation.words), .init(operation.package, .strong), .init(operation.versions),
      ])
    }
    let head = ["==> transaction \(transaction.number), \(transaction.time.withVisibleControls): \(end)"]
    let none = fired.hooks.isEmpty ? ["==> No hooks ran"] : []
    return head + operations.lines(style, indentation: "  ") + fired.hooks.flatMap { lines(of: $0, style) }
      + none + gapLines(style)
  }

  private func lines(of fired: FiredHook, _ style: OutputStyle) -> [String] {
    let moment = fired.hook.moment == .before ? "before" : "after"
    var targets = Table()
    for target in fired.targets {
      targets.append(["", .init(target.line + (target.isCertain ? "" : " (perhaps)"))])
    }
    let plan = plans[fired.hook.name].map { plan in
      ["  now it would:"]
        + (plan.words.isEmpty ? ["nothing"] : plan.words).map { "  -> \($0.withVisibleControls)" }
    }
    return [
      "==> \(style.painted(fired.hook.name, .strong)), \(moment) the transaction: \(fired.hook.command)"
    ]
      + targets.lines(style) + (plan ?? [])
  }

  private func gapLines(_ style: OutputStyle) -> [String] {
    guard !fired.gaps.isEmpty else { return [] }
    var table = Table()
    for gap in fired.gaps { table.append(["  ->", .init(gap)]) }
    return [style.painted("==> Not known:", .warning)] + table.lines(style)
  }

  /// What `alpm-dkms replay --from-log --json` prints.
  var json: JSON {
    .object([
      .init("schema", .number(1)),
      .init("transaction", .number(transaction.number)),
      .init("time", .string(transaction.time)),
      .init("end", .string(orNull: transaction.end?.rawValue)),
      .init(
        "operations",
        .array(
          transaction.operations.map { operation in
            .object([
              .init("package", .string(operation.package)), .init("action", .string(operation.words)),
              .init("versions", .string(operation.versions)),
            ])
          })),
      .init("hooks", .array(fired.hooks.map(json))),
      .init("gaps", .array(fired.gaps.map(JSON.string))),
    ])
  }

  private func json(of fired: FiredHook) -> JSON {
    .object([
      .init("name", .string(fired.hook.name)),
      .init("when", .string(orNull: fired.hook.moment?.rawValue)),
      .init("exec", .string(fired.hook.command)),
      .init(
        "targets",
        .array(
          fired.targets.map { target in
            .object([.init("target", .string(target.line)), .init("certain", .bool(target.isCertain))])
          })),
      .init("now", plans[fired.hook.name]?.json ?? .null),
    ])
  }
}

extension PackageOperation {
  /// What was done, in pacman's words.
  fileprivate var words: String {
    switch action {
    case .installed: "installed"
    case .upgraded: "upgraded"
    case .downgraded: "downgraded"
    case .reinstalled: "reinstalled"
    case .removed: "removed"
    }
  }

  fileprivate var versions: String {
    switch action {
    case .installed(let version), .reinstalled(let version), .removed(let version): version
    case .upgraded(let old, let new), .downgraded(let old, let new): "\(old) -> \(new)"
    }
  }
}
