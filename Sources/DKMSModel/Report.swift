// SPDX-License-Identifier: GPL-2.0-or-later

/// What became of a plan, step by step.
public struct Report: Hashable, Sendable {
  /// The plan that was executed.
  public let plan: Plan
  /// The outcome of each step, in the order of the plan's steps.
  public let outcomes: [Outcome]

  /// Makes a report; there is one outcome for each step.
  public init(plan: Plan, outcomes: [Outcome]) {
    precondition(plan.steps.count == outcomes.count)
    self.plan = plan
    self.outcomes = outcomes
  }

  /// The errors of the steps that failed by themselves, in the order of the plan.
  public var failures: [DKMSError] { failures { !$0.isOptional } }

  /// The errors of steps that may fail, in the order of the plan.
  public var toleratedFailures: [DKMSError] { failures { $0.isOptional } }

  private func failures(_ isIncluded: (PlannedStep) -> Bool) -> [DKMSError] {
    zip(plan.steps, outcomes).filter { isIncluded($0.0) }.compactMap(\.1.failure)
  }

  /// Warnings of all steps, in the order of the plan, each once.
  public var warnings: [String] {
    var known: Set<String> = []
    return outcomes.flatMap(\.warnings).filter { known.insert($0).inserted }
  }
}

/// What became of one step.
public enum Outcome: Codable, Hashable, Sendable {
  /// It was done, with these remarks; nothing was compiled for a build that is cached.
  case done(warnings: [String], isCached: Bool? = nil)
  /// It was tried and failed, after these remarks; what was there before is unchanged.
  case failed(DKMSError, warnings: [String]? = nil)
  /// A step that it requires did not succeed.
  case notTried

  /// Whether it was done.
  public var isDone: Bool { if case .done = self { true } else { false } }

  /// Whether it is a build that came from the cache.
  public var isCached: Bool { if case .done(_, true?) = self { true } else { false } }

  /// Why it failed, if it did.
  public var failure: DKMSError? { if case .failed(let error, _) = self { error } else { nil } }

  /// The remarks of a step that was tried.
  public var warnings: [String] {
    switch self {
    case .done(let warnings, _): warnings
    case .failed(_, let warnings): warnings ?? []
    case .notTried: []
    }
  }
}
