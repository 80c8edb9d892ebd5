// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host

/// Tells people what happens, in the manner of pacman's own tools, with what went wrong said last.
public struct Narrator: Sendable {
  private let console: Console

  /// Speaks on a console.
  public init(_ console: Console) { self.console = console }

  /// Says what a step did, unless it only follows from another step, and how long that took where it is told.
  public func ended(_ planned: PlannedStep, _ outcome: Outcome, after duration: Duration?) {
    let time = duration.map { " (\($0.elapsed))" } ?? ""
    switch outcome {
    case .done:
      guard let accomplishment = planned.accomplishment else { return }
      console.print("  -> \(accomplishment)\(outcome.isCached ? ", from the cache" : time)")
      if case .makeKeys(let pair) = planned.step {
        console.printCommand("mokutil --import \(pair.certificate.quotedForShell)", to: .output)
      }
    case .failed(.nothingInstalled(_, _, let reasons), _):
      console.print("  -> \(planned.step.subject): not installed, \(reasons.joined(separator: "; "))")
    case .failed: console.print("  -> \(planned.step.subject): failed\(time)")
    case .notTried:
      if case .build = planned.step { console.print("  -> \(planned.step.subject): not tried") }
    }
  }

  /// Says what a plan would do, one line for each step, with its reason.
  public func announce(_ plan: Plan) {
    if plan.isEmpty { console.print("==> Nothing would be done") }
    for planned in plan.steps { console.print("  -> \(planned.intention)") }
  }

  /// Says what is left out though it could have been expected.
  public func skipped(_ skip: Skip) {
    switch skip.cause {
    case .upToDate: console.print("  -> \(skip.subject): nothing to do")
    case .obstacle(.excluded(_, _, let reason)): console.print("  -> \(skip.subject): skipped, \(reason)")
    case .obstacle(.nothingInstalled(_, _, let reasons)):
      console.print("  -> \(skip.subject): skipped, \(reasons.joined(separator: "; "))")
    case .builtAlready: warn("\(skip.subject): built already, so what the tarball has of it is left out")
    case .notAutoinstalled, .lastGood, .obstacle: break
    }
  }

  /// Says what else the user should know; a second line of it is what fixes that.
  public func warn(_ text: String) {
    let lines = text.split(separator: "\n", maxSplits: 1)
    console.printError("==> WARNING: \(lines.first ?? "")")
    if lines.count == 2 { advise(String(lines[1])) }
  }

  /// Warns once of each thing that root runs and others can change, with the command that ends it.
  public func warn(of trust: TrustFacts?) {
    guard let trust, trust.policy == .warn else { return }
    for exposure in trust.all {
      warn("\(exposure), and root runs what is there")
      advise(exposure.remedy)
    }
  }

  /// Says what fixes the problem just reported: words first, then the command, alone on its line.
  public func advise(_ remedy: String) {
    let remedy = Remedy(remedy)
    let words = remedy.advice ?? "to fix it"
    console.printError("  -> \(words)\(remedy.command == nil ? "" : ":")")
    if let command = remedy.command { console.printCommand(command) }
  }

  /// Says what went wrong and what fixes it, by default what the error itself knows.
  public func fail(_ error: DKMSError, remedy: String? = nil) {
    console.printError("==> ERROR: \(error)")
    if let remedy = remedy ?? error.remedy { advise(remedy) }
  }

  /// Says that a signal has ended the work.
  public func interrupted() {
    console.printError("==> ERROR: interrupted; what was there before is unchanged")
  }

  /// Prints all warnings of a report and its plan, then the errors that the caller does not excuse, each with
  /// the caller's remedy or else its own.
  public func conclude(
    _ report: Report, excusing isExcused: (DKMSError) -> Bool = { _ in false },
    remedy: (DKMSError) -> String? = { _ in nil }
  ) {
    report.warnings.forEach(warn)
    for error in report.toleratedFailures {
      warn("\(error)")
      error.remedy.map(advise)
    }
    for error in report.failures where !isExcused(error) { fail(error, remedy: remedy(error)) }
  }
}

extension Skip {
  var subject: String { kernel.map { "\(id) for \($0.release)" } ?? "\(id)" }
}

extension Step {
  var subject: String {
    switch self {
    case .add(let id, _), .relink(let id, _), .unregister(let id), .discardKeptSource(let id),
      .copySource(let id, _, _), .addWithoutSource(let id, _), .makeTarball(let id, _, _, _):
      "\(id)"
    case .build(let id, let kernel), .install(let id, let kernel), .uninstall(let id, let kernel),
      .unbuild(let id, let kernel), .adopt(let id, let kernel), .loadBuild(let id, let kernel, _):
      "\(id) for \(kernel.release)"
    case .makeKeys(let pair): pair.key
    case .depmod(let release), .keep(let release), .load(let release): "\(release)"
    case .follow(let command): "'\(command)'"
    }
  }
}

extension PlannedStep {
  fileprivate var accomplishment: String? {
    switch step {
    case .add: "\(step.subject): added"
    case .addWithoutSource: "\(step.subject): added, without its source"
    case .makeKeys(let pair):
      "\(step.subject): made, with the certificate \(pair.certificate); to have Secure Boot accept it:"
    case .build: "\(step.subject): built"
    case .loadBuild: "\(step.subject): build loaded"
    case .makeTarball(_, _, _, let file): "\(step.subject): written to \(file)"
    case .adopt: "\(step.subject): what is installed is on record again"
    case .install: "\(step.subject): installed\(reason.afterthought)"
    case .uninstall: "\(step.subject): uninstalled\(reason.afterthought)"
    case .unbuild: reason == .requested ? "\(step.subject): build removed" : nil
    case .unregister: "\(step.subject): removed\(reason.afterthought)"
    case .depmod:
      reason == .kernelGone
        ? "\(step.subject): its modules are cleared away" : "\(step.subject): module dependencies updated"
    case .keep: "\(step.subject): its modules stay until the next boot, since it is running"
    case .load: "\(step.subject): the modules that devices ask for are loaded"
    case .follow: "\(step.subject): done"
    case .relink, .discardKeptSource, .copySource: nil
    }
  }
}

extension PlannedStep {
  /// What it would do and why, as a dry run says it.
  fileprivate var intention: String { change + reason.afterthought }

  /// What it would do.
  var change: String {
    let subject = step.subject
    return switch step {
    case .add(_, let source): "\(subject): would be added, its source is \(source)"
    case .copySource(_, _, let replaces):
      "\(subject): its source would \(replaces ? "replace what is in" : "be put into") the source tree"
    case .addWithoutSource: "\(subject): would be added, without its source"
    case .loadBuild: "\(subject): the build that comes with it would be loaded"
    case .makeTarball(_, _, _, let file): "\(subject): would be written to \(file)"
    case .relink(_, let source): "\(subject): its source link would lead to \(source)"
    case .makeKeys(let pair): "\(subject): would be made, with the certificate \(pair.certificate)"
    case .build: "\(subject): would be built"
    case .adopt: "\(subject): what is installed would be on record again"
    case .install: "\(subject): would be installed\(basis.condition)"
    case .uninstall: "\(subject): would be uninstalled"
    case .unbuild: "\(subject): its build would be removed"
    case .unregister: "\(subject): would be removed"
    case .discardKeptSource: "\(subject): the kept copy of its source would be removed"
    case .depmod: "\(subject): module dependencies would be updated"
    case .keep: "\(subject): its modules would stay until the next boot, since it is running"
    case .load: "\(subject): the modules that devices ask for would be loaded"
    case .follow: "\(subject): would be run"
    }
  }
}

extension Reason {
  /// Why, in brackets, where the step alone does not say it.
  fileprivate var afterthought: String {
    switch self {
    case .requested, .notInstalled, .modulesChange, .matched: ""
    default: " (\(words))"
    }
  }
}

extension Basis {
  /// What only the built module will tell.
  fileprivate var condition: String {
    let open = overrulesKernel ? [] : competitions.filter { $0.built == nil && $0.rivals.count == 1 }
    guard !open.isEmpty else { return "" }
    let rivals = open.flatMap(\.rivals).map { rival in
      let version = rival.identity.version
      return version.isEmpty ? rival.path : "\(rival.path) (\(version))"
    }
    return ", unless it turns out to be no newer than \(rivals.joined(separator: ", "))"
  }
}

extension Plan {
  /// The plan for people: one line for each step with its reason, then one for each thing that is left out.
  public var words: [String] { steps.map(\.words) + skips.map(\.words) }
}

extension PlannedStep {
  /// What it would do, and why.
  public var words: String { "\(change) (\(reason.words))" }
}

extension Skip {
  /// What is left out, and why.
  public var words: String { "\(subject): left out (\(cause.words))" }
}
