// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

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
    let builds = plan.builds
    let processors = max(2, snapshot.host.processorCount)
    let jobServer = try jobServer(makes: min(builds.count, processors))
    let places = min(jobServer?.jobs ?? processors, processors)
    let times = builds.isEmpty ? BuildTimes() : BuildTimes(in: snapshot.layout)
    let progress = progress(of: builds, times, places: places)
    let runner = await StepRunner(for: plan, snapshot, jobServer, progress)
    let schedule = Schedule(
      plan, places: places, otherPlaces: processors, seconds: seconds(of: builds, times))
    let (outcomes, newTimes) = await progress.accompany { await carryOut(schedule, runner, observe) }
    BuildTimes.note(newTimes, in: snapshot.layout)
    // Another run may have built what this one only installed: the run that ends last removes the directory.
    for id in plan.builtModules.union(plan.installedModules) {
      LeftoverSweeper(snapshot.layout).removeBuildDirectory(of: id)
    }
    return Report(plan: plan, outcomes: outcomes)
  }

  // MARK: Beforehand

  /// What limits the number of jobs in so many builds; nil where there is no limit, or nothing to limit.
  private func jobServer(makes: Int) throws(DKMSError) -> JobServer? {
    guard makes > 0 else { return nil }
    let (options, host) = (snapshot.options, snapshot.host)
    if options.joinsJobServer,
      let joined = JobServer.joined(host.environment, makes: makes, processors: host.processorCount)
    {
      return joined
    }
    let jobs = options.jobs ?? host.allowance.jobs(processors: host.processorCount)
    return try onFiles { () throws(HostError) in jobs > 0 ? try JobServer(jobs: jobs, makes: makes) : nil }
  }

  private func progress(of builds: [Build], _ times: BuildTimes, places: Int) -> Progress {
    var expected: [String: Int?] = [:]
    for build in builds {
      expected[Step.build(build.id, build.kernel).subject] = .some(
        times.expected(build.id, for: build.kernel))
    }
    return Progress(
      "building", "built", expected: expected, places: places, on: snapshot.host,
      isVerbose: snapshot.options.isVerbose)
  }

  /// How long each of several builds takes; one that has never been is guessed by the size of its source.
  private func seconds(of builds: [Build], _ times: BuildTimes) -> [Build: Int] {
    guard builds.count > 1 else { return [:] }
    var guesses: [ModuleID: Int] = [:]
    var seconds: [Build: Int] = [:]
    for build in builds {
      let (id, known) = (build.id, times.expected(build.id, for: build.kernel))
      if known == nil, guesses[id] == nil { guesses[id] = guess(id) }
      seconds[build] = known ?? guesses[id]
    }
    return seconds
  }

  private func guess(_ id: ModuleID) -> Int {
    let layout = snapshot.layout
    let source = (try? Files.resolved(layout.sourceLink(id))) ?? layout.source(id)
    return ((try? Files.diskUsage(source)) ?? 0) / Self.bytesPerSecond
  }

  /// About as much source as is built in a second.
  private static let bytesPerSecond = 50_000

  // MARK: Execution

  /// What the execution waits for.
  private enum Event: Sendable {
    /// A step has ended.
    case ended(Int, Outcome)
    /// There may be room for another build.
    case paused
  }

  /// Carries out all steps.
  ///
  /// - Returns: What became of each, and how long the builds took that went well.
  private func carryOut(
    _ schedule: Schedule, _ runner: StepRunner, _ observe: (PlannedStep, Outcome, Duration?) -> Void
  ) async -> ([Outcome], [BuildTimes.Entry]) {
    let (plan, progress, clock) = (runner.plan, runner.progress, snapshot.host.clock)
    var schedule = schedule
    var times: [BuildTimes.Entry] = []
    var isPausing = false
    await withTaskGroup(of: Event.self) { group in
      while !schedule.isOver {
        while let index = schedule.next(hasRoom: hasRoom) {
          let planned = plan.steps[index]
          let isTried = (!Task.isCancelled || planned.isOwed) && schedule.hasCause(index)
          group.addTask { .ended(index, isTried ? await runner.outcomeToTheEnd(of: planned) : .notTried) }
        }
        if schedule.isHeldBack, !isPausing {
          isPausing = true
          group.addTask {
            _ = await clock.wait(clock.now() + Self.pause)
            return .paused
          }
        }
        switch await group.next() {
        case .ended(let index, let outcome):
          schedule.end(index, outcome)
          let planned = plan.steps[index]
          let duration = progress.ended(planned, outcome, &times)
          observe(planned, outcome, progress.isTold ? duration : nil)
        case .paused: isPausing = false
        case nil: return
        }
      }
      group.cancelAll()
    }
    return (schedule.outcomes.map { $0 ?? .notTried }, times)
  }

  /// How long it takes until the memory is looked at again.
  private static let pause = Duration.seconds(1)

  /// Whether another build may run beside others; one that is not tried takes no memory.
  private func hasRoom() -> Bool {
    Task.isCancelled || snapshot.options.jobs == 0 || snapshot.host.allowance.hasRoom
  }
}

extension StepRunner {
  /// Carries out a step; one that is owed goes on where the task is cancelled.
  fileprivate func outcomeToTheEnd(of planned: PlannedStep) async -> Outcome {
    guard planned.isOwed else { return await outcome(of: planned) }
    // A task of its own, which nobody cancels.
    return await Task { await outcome(of: planned) }.value
  }
}

extension Progress {
  /// Notes that a step has ended, and if it was a build that went well, how long that took.
  ///
  /// - Returns: How long a build took that has begun.
  fileprivate func ended(
    _ planned: PlannedStep, _ outcome: Outcome, _ times: inout [BuildTimes.Entry]
  ) -> Duration? {
    guard case .build(let id, let kernel) = planned.step else { return nil }
    guard let duration = ended(planned.step.subject) else { return nil }
    if outcome.isDone { times.append(.init(id, kernel, seconds: Int(duration.components.seconds))) }
    return duration
  }
}

extension PlannedStep {
  /// Whether it completes a change that has already been made, so that an interruption waits for it.
  fileprivate var isOwed: Bool { if case .depmod = step { !earlier.isEmpty } else { false } }
}

/// A module version and the kernel that it is built for.
struct Build: Hashable, Sendable {
  let id: ModuleID
  let kernel: Kernel
}

extension Plan {
  /// What it compiles, in its order.
  var builds: [Build] {
    steps.compactMap {
      if case .build(let id, let kernel) = $0.step { Build(id: id, kernel: kernel) } else { nil }
    }
  }

  /// The modules that it compiles.
  var builtModules: Set<ModuleID> { Set(builds.map(\.id)) }

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
