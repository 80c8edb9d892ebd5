// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host

/// Carries out plans: every step as soon as those it waits for have ended, side by side.
public struct Executor: Sendable {
  private let runner: StepRunner

  /// Prepares the execution of plans.
  ///
  /// - Throws: `DKMSError.system` where the machine has not even a pipe to spare.
  public init(host: Host, layout: Layout, options: BuildOptions) async throws(DKMSError) {
    runner = try await StepRunner(host: host, layout: layout, options: options)
  }

  /// Carries out a plan.
  ///
  /// - Parameters:
  ///   - plan: What to do.
  ///   - observe: Told of each step that ends, one at a time.
  /// - Returns: What became of each step.
  public func execute(_ plan: Plan, observe: (PlannedStep, Outcome) -> Void = { _, _ in }) async -> Report {
    var outcomes = [Outcome?](repeating: nil, count: plan.steps.count)
    var waiting = Set(plan.steps.indices)
    await withTaskGroup(of: (Int, Outcome).self) { group in
      while true {
        for index in waiting.sorted() where plan.steps[index].mayStart(outcomes) {
          waiting.remove(index)
          let step = plan.steps[index]
          if !Task.isCancelled, step.required.allSatisfy({ outcomes[$0]?.isDone == true }) {
            group.addTask { (index, await runner.outcome(of: step.step)) }
          } else {
            group.addTask { (index, .notTried) }
          }
        }
        guard let (index, outcome) = await group.next() else { break }
        outcomes[index] = outcome
        observe(plan.steps[index], outcome)
      }
    }
    return Report(plan: plan, outcomes: outcomes.map { $0 ?? .notTried })
  }
}

extension PlannedStep {
  fileprivate func mayStart(_ outcomes: [Outcome?]) -> Bool {
    (required + earlier).allSatisfy { outcomes[$0] != nil }
  }
}
