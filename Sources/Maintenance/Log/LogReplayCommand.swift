// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Pacman
internal import SystemPackage

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
    .document(
      schema: 2,
      [
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

/// `alpm-dkms replay --from-log`: which hooks a transaction of the log must have run, and what they would do now.
public struct LogReplayCommand: JournalCommand {
  private let log: FilePath?
  private let choice: PacmanLog.Choice
  private let printsJSON: Bool

  /// Describes a call; nil where `transaction` is neither `last` nor a number from 1.
  ///
  /// - Parameters:
  ///   - log: The log; nil for the one that pacman.conf names.
  ///   - transaction: `last`, or its place in the log.
  ///   - printsJSON: Whether programs read it.
  public init?(_ log: String? = nil, transaction: String, printsJSON: Bool = false) {
    guard let choice = PacmanLog.Choice(transaction) else { return nil }
    self.log = log.map { FilePath($0) }
    self.choice = choice
    self.printsJSON = printsJSON
  }

  /// Says it; 0 where the log has the transaction.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(DKMSError) {
      let pacman = PacmanConfiguration(root: layout.root)
      let log = log.map(host.workingDirectory.pushing) ?? pacman.logFile
      let transaction = try transaction(in: log)
      let (hooks, problems) = try onFiles { () throws(HostError) in
        try HookFile.all(in: pacman.hookDirectories)
      }
      for problem in problems { Narrator(host.console).warn("\(problem); pacman refuses every transaction") }
      let database = Database(root: layout.root)
      let names = Set(transaction.operations.map(\.package))
      let known = names.reduce(into: [String: KnownPackage]()) { $0[$1] = database.known($1) }
      let fired = FiredHooks(transaction, hooks: hooks, packages: known)
      var plans: [String: any HookPlan] = [:]
      for hook in fired.hooks {
        plans[hook.hook.name] = try await plan(of: hook, layout, host)
      }
      let replay = LogReplay(transaction: transaction, fired: fired, plans: plans)
      if printsJSON {
        host.console.print(replay.json.text)
      } else {
        replay.lines(host.style).forEach(host.console.print)
      }
      return 0
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private func transaction(in log: FilePath) throws(DKMSError) -> LoggedTransaction {
    let answer: PacmanLog.Answer
    do throws(HostError) {
      answer = try PacmanLog.find(choice, in: LineReader(log))
    } catch {
      throw DKMSError(error)
    }
    guard let transaction = answer.transaction else {
      let name = if case .number(let number) = choice { "transaction \(number)" } else { "a transaction" }
      throw .system(
        operation: "find", subject: "\(name) in \(log)",
        reason: "it holds \(answer.count.counted("transaction"))")
    }
    return transaction
  }

  /// What one of our helpers would plan now for the targets; nil for anybody else's hook.
  private func plan(of fired: FiredHook, _ layout: Layout, _ host: Host) async throws(DKMSError)
    -> (any HookPlan)?
  {
    guard let program = fired.hook.command.split(separator: " ").first,
      let name = FilePath(String(program)).lastComponent?.string, let hook = HelperKind(program: name)?.hook
    else { return nil }
    let targets = fired.targets.compactMap { HookTarget(line: $0.line) }
    return try await hook.preview(for: targets, layout: layout, host: host).plan
  }
}
