// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host

/// Carries out plans: each step starts as soon as those it waits for have ended, and steps run in parallel.
public struct Executor: Sendable {
  private let snapshot: Snapshot

  /// Prepares the execution of plans that were made from a snapshot.
  public init(_ snapshot: Snapshot) { self.snapshot = snapshot }

  /// Carries out a plan.
  ///
  /// A cancelled task begins no more steps, except depmod where modules have changed: without it none of them
  /// is found.
  ///
  /// - Parameters:
  ///   - plan: What to do.
  ///   - observe: Told of each step that ends, one at a time, and how long it took where people want to know.
  /// - Returns: What became of each step.
  /// - Throws: `DKMSError.system` where not even a pipe can be made.
  public func execute(
    _ plan: Plan, observe: (PlannedStep, Outcome, Duration?) -> Void = { _, _, _ in }
  ) async throws(DKMSError) -> Report {
    guard !plan.isEmpty else { return Report(plan: plan, outcomes: []) }
    let limit = max(2, snapshot.host.processorCount)
    let progress = progress(of: plan, places: limit)
    let runner = try await StepRunner(for: plan, snapshot, progress)
    let (outcomes, times) = await progress.accompany { await carryOut(runner, limit: limit, observe) }
    BuildTimes.note(times, in: snapshot.layout)
    // Another run may have built what this one only installed: the run that ends last removes the directory.
    for id in plan.builtModules.union(plan.installedModules) {
      LeftoverSweeper(snapshot.layout).removeBuildDirectory(of: id)
    }
    return Report(plan: plan, outcomes: outcomes)
  }

  private func progress(of plan: Plan, places: Int) -> Progress {
    var expected: [String: Int?] = [:]
    if !plan.builtModules.isEmpty {
      let times = BuildTimes(in: snapshot.layout)
      for case .build(let id, let kernel) in plan.steps.map(\.step) {
        expected[Step.build(id, kernel).subject] = .some(times.expected(id, for: kernel))
      }
    }
    return Progress(
      "building", "built", expected: expected, places: places, on: snapshot.host,
      isVerbose: snapshot.options.isVerbose)
  }

  /// Carries out all steps.
  ///
  /// - Returns: What became of each, and how long the builds took that went well.
  private func carryOut(
    _ runner: StepRunner, limit: Int, _ observe: (PlannedStep, Outcome, Duration?) -> Void
  ) async -> ([Outcome], [BuildTimes.Entry]) {
    let (plan, progress) = (runner.plan, runner.progress)
    var times: [BuildTimes.Entry] = []
    var outcomes = [Outcome?](repeating: nil, count: plan.steps.count)
    var waiting = Array(plan.steps.indices)
    await withTaskGroup(of: (Int, Outcome).self) { group in
      var running = 0
      while true {
        for index in waiting where running < limit && plan.steps[index].mayStart(outcomes) {
          if plan.steps[index].basis.buildsInSource, plan.isBesideAnother(index, outcomes) { continue }
          waiting.removeAll { $0 == index }
          running += 1
          let planned = plan.steps[index]
          let isTried = (!Task.isCancelled || planned.isOwed) && plan.hasCause(planned, outcomes)
          group.addTask {
            guard isTried else { return (index, .notTried) }
            guard planned.isOwed else { return (index, await runner.outcome(of: planned)) }
            // A task of its own, which nobody cancels.
            return (index, await Task { await runner.outcome(of: planned) }.value)
          }
        }
        guard let (index, outcome) = await group.next() else { break }
        running -= 1
        outcomes[index] = outcome
        let planned = plan.steps[index]
        var duration: Duration?
        if case .build(let id, let kernel) = planned.step {
          duration = progress.ended(planned.step.subject)
          if let duration, outcome.isDone {
            times.append(.init(id, kernel, seconds: Int(duration.components.seconds)))
          }
        }
        observe(planned, outcome, progress.isTold ? duration : nil)
      }
    }
    return (outcomes.map { $0 ?? .notTried }, times)
  }
}

extension PlannedStep {
  /// Whether it completes a change that has already been made, so that an interruption waits for it.
  fileprivate var isOwed: Bool { if case .depmod = step { !earlier.isEmpty } else { false } }

  fileprivate func mayStart(_ outcomes: [Outcome?]) -> Bool {
    (required + earlier).allSatisfy { outcomes[$0] != nil }
  }
}

extension Plan {
  /// Whether the outcomes of the steps that this one depends on are reason to take it.
  fileprivate func hasCause(_ planned: PlannedStep, _ outcomes: [Outcome?]) -> Bool {
    let isDone = { (step: Int) in outcomes[step]?.isDone == true }
    return planned.required.allSatisfy { isDone($0) || steps[$0].isOptional }
      && (planned.earlier.isEmpty || planned.earlier.contains(where: isDone))
  }

  /// Whether a build has to wait because an earlier step still has to build or install the same module for
  /// another kernel.
  fileprivate func isBesideAnother(_ index: Int, _ outcomes: [Outcome?]) -> Bool {
    guard case .build(let id, let kernel) = steps[index].step else { return false }
    return steps.indices.prefix(index).contains { other in
      guard outcomes[other] == nil else { return false }
      return switch steps[other].step {
      case .build(id, let theirs), .install(id, let theirs): theirs != kernel
      default: false
      }
    }
  }

  /// The modules that it compiles.
  var builtModules: Set<ModuleID> {
    Set(steps.compactMap { if case .build(let id, _) = $0.step { id } else { nil } })
  }

  /// The modules that it installs.
  fileprivate var installedModules: Set<ModuleID> {
    Set(steps.compactMap { if case .install(let id, _) = $0.step { id } else { nil } })
  }

  /// The first kernel that it is about for a module.
  func firstKernel(of id: ModuleID) -> Kernel? {
    let built = steps.lazy.compactMap { if case .build(id, let kernel) = $0.step { kernel } else { nil } }
    return built.first ?? skips.lazy.filter { $0.id == id }.compactMap(\.kernel).first
  }
}
