// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Hooks
internal import Host
internal import Inspection
internal import Journal

extension JournalRecord {
  /// What was done, in half a line; of another schema's record why nobody can tell.
  var summary: String {
    do throws(JournalError) { return try work().summary ?? omission ?? "nothing was planned" } catch {
      return "\(error)"
    }
  }

  /// The whole record for people: what it was given, saw, planned and did.
  var words: [String] {
    let writer = version.map { ", by alpm-dkms \($0)" } ?? ""
    var lines = [
      "\(number > 0 ? "record \(number)" : "record"): \(helper) (\(phase ?? ""))\(writer), for \(caller?.rawValue ?? "")",
      "began \(Moment.text(began))"
        + (end.map { ", ended \(Moment.text($0.time)), status \($0.status)" } ?? ""),
    ]
    if end == nil { lines.append("it did not end: it was killed, or is at work") }
    if let omission { lines.append(omission) }
    lines += Self.block("targets", targets.map(\.text.withVisibleControls))
    do throws(JournalError) { lines += try work().words } catch {
      lines += Self.block("what it saw and planned", ["\(error)"] + [error.remedy].compactMap { $0 })
    }
    return lines + Self.block("logs", end?.logs ?? [])
  }

  fileprivate static func block(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : ["\(title):"] + lines.map { "  \($0)" }
  }
}

extension RecordedWork {
  /// What was done, in half a line; nil where nothing was planned.
  fileprivate var summary: String? {
    switch plan {
    case _ where error != nil: error.map { "\($0)" }
    case nil: nil
    case .modules(let plan): summary(of: plan)
    case .keep(let modules):
      modules.isEmpty
        ? "no source to keep" : "sources kept: \(modules.map(\.description).joined(separator: ", "))"
    case .images(let plan): summary(of: plan)
    case .verdicts(let verdicts):
      verdicts.filter { $0.standing != .asBefore }.map { "\($0.kernel.release) \($0.standing.rawValue)" }
        .joined(separator: ", ").orElse("\(verdicts.count) kernels bootable as before")
    }
  }

  private func summary(of plan: Plan) -> String {
    guard !plan.isEmpty else { return "nothing to do" }
    guard let outcomes else { return "\(plan.steps.count) steps planned" }
    let count = { (isCounted: (PlannedStep, Outcome) -> Bool) in
      zip(plan.steps, outcomes).filter { isCounted($0.0, $0.1) }.count
    }
    let parts = [
      (count { if case .build = $0.step { $1.isDone } else { false } }, "built"),
      (count { if case .install = $0.step { $1.isDone } else { false } }, "installed"),
      (count { if case .uninstall = $0.step { $1.isDone } else { false } }, "uninstalled"),
      (count { if case .unregister = $0.step { $1.isDone } else { false } }, "removed"),
      (count { $1.failure != nil }, "failed"), (count { $1 == .notTried }, "not tried"),
    ]
    return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
      .orElse("\(plan.steps.count) steps")
  }

  private func summary(of plan: ImagePlan) -> String {
    let outcomes = outcomes ?? []
    let parts = [
      (outcomes.count(where: \.isDone), "made"), (outcomes.count { $0.failure != nil }, "failed"),
      (plan.generated.count - outcomes.count { $0 != .notTried }, "not made"), (plan.kept.count, "kept"),
    ]
    return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ").orElse("no image")
  }

  /// What was seen, planned and done.
  fileprivate var words: [String] {
    let didWhat = outcomes.flatMap { outcomes in plan?.words(outcomes) }
    return JournalRecord.block("saw", facts?.words ?? [])
      + JournalRecord.block(
        didWhat == nil ? "planned" : "planned, and what became of it", didWhat ?? plan?.words ?? [])
      + JournalRecord.block("error", error.map { ["\($0)"] } ?? [])
  }
}

extension RecordedFacts {
  /// What was seen, for people; `--json` has all of it.
  fileprivate var words: [String] {
    switch self {
    case .modules(let facts): facts.words
    case .sources(let facts): facts.sources.map { "source \($0)" } + facts.tree.words
    case .images(let facts):
      facts.runs.flatMap(\.conditions).map { "image \($0.image.path): \($0.words)" }
    case .conditions(let facts):
      facts.conditions.map { "kernel \($0.kernel.release), \($0.modules.count) modules" }
    }
  }
}

extension ModuleFacts {
  fileprivate var words: [String] {
    let list = { (title: String, names: [String]) in
      names.isEmpty ? [] : ["\(title): \(names.joined(separator: ", "))"]
    }
    let releases = { (kernels: [Kernel]) in kernels.map(\.release.description) }
    return list("modules that came or changed", transaction.changedModules.map(\.description))
      + list("modules without their source", transaction.goneModules.map(\.description))
      + list("kernels that came or changed", releases(transaction.changedKernels))
      + list("kernels that are gone", releases(transaction.goneKernels))
      + list("kernels that stay for this boot", releases(transaction.keptKernels))
      + list("kernels", releases(transaction.installedKernels))
      + list(
        "kernels without headers",
        facts.kernels.filter { !$0.value.hasHeaders }.map(\.key.release.description).sorted())
      + list("kernels that no package owns", orphans.map(\.description))
      + facts.tree.words + errors.map { "error: \($0)" } + warnings.map { "warning: \($0)" }
  }
}

extension TreeState {
  fileprivate var words: [String] {
    modules.map { record in
      let builds = record.builds.map { "\($0.isInstalled ? "installed" : "built") for \($0.kernel.release)" }
      let marks =
        [record.isBroken ? "broken" : nil, record.isLastGood ? "kept as the last good one" : nil]
        .compactMap { $0 }
      return "\(record.id): \((marks + builds).joined(separator: ", ").orElse("added"))"
    }
  }
}

extension String {
  /// Another text in the place of an empty one.
  func orElse(_ other: String) -> String { isEmpty ? other : self }

  /// The text with its control characters written out, so that a terminal does not obey them.
  var withVisibleControls: String {
    unicodeScalars.map { $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : String($0) }
      .joined()
  }
}
