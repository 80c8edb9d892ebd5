// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel

/// The facts that decide what is built, installed and removed after a transaction.
package struct ModuleFacts: HookFacts {
  /// What the transaction has touched.
  package var transaction: Transaction
  /// How it is planned.
  package var options: PlanningOptions
  /// What there is.
  package var facts: Facts
  /// Sources of the transaction that could not be understood.
  package var errors: [DKMSError] = []
  /// Other sources that could not be understood.
  package var warnings: [String] = []
  /// What keeps the package database from telling all.
  package var doubts: [DKMSError] = []
  /// Kernels that nobody owns.
  package var orphans: [KernelRelease] = []
  /// Why the package database cannot be read, so that every kernel directory counts as installed.
  package var databaseProblem: String?

  /// The plan that these facts give.
  package var plan: Plan {
    Planner.follow(
      transaction, installs: options.installs, facts: facts, options: options.buildOptions)
  }

  /// Whether there is nothing to do, to ask, or to say.
  var areIdle: Bool {
    plan.isEmpty && errors.isEmpty && doubts.isEmpty && orphans.isEmpty && databaseProblem == nil
  }

  package var sourceDirectories: [ModuleID: String] {
    facts.tree.sourceDirectories.merging(facts.sources) { $1 }
  }
}

// MARK: Words

extension ModuleFacts {
  package var words: [String] {
    let list = { (title: String, names: [String]) in
      names.isEmpty ? [] : ["\(title): \(names.joined(separator: ", "))"]
    }
    let releases = { (kernels: [Kernel]) in kernels.map(\.release.description) }
    return list("new or changed modules", transaction.changedModules.map(\.description))
      + list("modules without their source", transaction.goneModules.map(\.description))
      + list("new or changed kernels", releases(transaction.changedKernels))
      + list("kernels that are gone", releases(transaction.goneKernels))
      + list("kernels that stay for this boot", releases(transaction.keptKernels))
      + list("kernels", releases(transaction.installedKernels))
      + list(
        "kernels without headers",
        facts.kernels.filter { !$0.value.hasHeaders }.map(\.key.release.description).sorted())
      + list("kernels that no package owns", orphans.map(\.description))
      + list("modules whose builds are not on record", facts.unrecorded.keys.map(\.description).sorted())
      + list("not trusted", (facts.trust?.all ?? []).map(\.description)) + facts.tree.words
      + errors.map { "error: \($0)" }
      + ([databaseProblem].compactMap { $0 } + warnings).map { "warning: \($0)" }
  }
}

extension TreeState {
  /// A line for each module that is registered.
  var words: [String] {
    modules.map { record in
      let builds = record.builds.map { "\($0.isInstalled ? "installed" : "built") for \($0.kernel.release)" }
      let marks =
        [record.isBroken ? "broken" : nil, record.usesKeptSource ? "kept as the last good one" : nil]
        .compactMap { $0 } + builds
      return "\(record.id): \(marks.isEmpty ? "added" : marks.joined(separator: ", "))"
    }
  }

  /// Where the sources of registered modules are.
  var sourceDirectories: [ModuleID: String] {
    modules.reduce(into: [:]) { directories, record in directories[record.id] = record.source }
  }
}

extension Plan: HookPlan {
  /// The modules that were to be installed: one that is built and not installed leaves no other trace of that.
  package var unfinishedTargets: [HookTarget] {
    steps.compactMap { planned in
      if case .install(let id, _) = planned.step {
        .moduleSource(directory: id.sourceDirectoryName)
      } else {
        nil
      }
    }
  }

  package func words(_ outcomes: [Outcome]) -> [String] {
    zip(steps.map(\.words), outcomes).map { "\($0): \($1.words)" } + skips.map(\.words)
  }

  package func summary(_ outcomes: [Outcome]?) -> String {
    guard !isEmpty else { return "nothing to do" }
    guard let outcomes else { return "\(steps.count.counted("step")) planned" }
    let count = { (isCounted: (PlannedStep, Outcome) -> Bool) in
      zip(steps, outcomes).filter { isCounted($0.0, $0.1) }.count
    }
    let parts = [
      (count { if case .build = $0.step { $1.isDone } else { false } }, "built"),
      (count { if case .install = $0.step { $1.isDone } else { false } }, "installed"),
      (count { if case .uninstall = $0.step { $1.isDone } else { false } }, "uninstalled"),
      (count { if case .unregister = $0.step { $1.isDone } else { false } }, "removed"),
      (count { $1.failure != nil }, "failed"), (count { $1 == .notTried }, "not tried"),
    ]
    let reason = outcomes.lazy.compactMap(\.failure).first.map { ": \($0)" } ?? ""
    return (parts.inWords ?? steps.count.counted("step")) + reason
  }
}

extension [(Int, String)] {
  /// `2 built, 1 failed`; nil if all counts are 0.
  var inWords: String? {
    let some = filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return some.isEmpty ? nil : some.joined(separator: ", ")
  }
}

extension Outcome {
  /// The result with the first line of each warning; what fixes something is for the verdict to say.
  private static func words(_ result: String, _ warnings: [String]) -> String {
    let remarks = warnings.compactMap { $0.split(separator: "\n").first.map(String.init) }
    return ([result] + remarks).joined(separator: "; ")
  }

  /// What became of it, for people.
  var words: String {
    switch self {
    case .done: Self.words("done", warnings)
    case .failed(let error, _): Self.words("failed: \(error)", warnings)
    case .notTried: "not tried"
    }
  }
}
