// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What of a plan starts next: a value that is told what has ended.
///
/// Of the builds that can start, the one goes first after which the longest way is left to the end of the plan. Other steps
/// take little time, and start as soon as what they wait for has ended.
struct Schedule {
  private let plan: Plan
  /// How many builds may run at once.
  private let places: Int
  /// How many other steps may.
  private let otherPlaces: Int
  /// The seconds that a step takes together with the longest chain of steps that wait for it.
  private let lengths: [Int]
  /// What has become of each step that has ended.
  private(set) var outcomes: [Outcome?]
  private var waiting: [Int]
  private var (builds, others) = (0, 0)
  /// Whether a build that could start was kept back because it would have been one too many for the memory.
  private(set) var isHeldBack = false

  /// Schedules a plan of which nothing has begun.
  ///
  /// - Parameters:
  ///   - plan: The plan.
  ///   - places: How many builds may run at once.
  ///   - otherPlaces: How many other steps may.
  ///   - seconds: How long builds take, as far as that matters.
  init(_ plan: Plan, places: Int, otherPlaces: Int = 2, seconds: [Build: Int]) {
    self.plan = plan
    self.places = max(places, 1)
    self.otherPlaces = max(otherPlaces, 1)
    outcomes = [Outcome?](repeating: nil, count: plan.steps.count)
    waiting = Array(plan.steps.indices)
    var lengths = [Int](repeating: 0, count: plan.steps.count)
    for (index, planned) in plan.steps.enumerated().reversed() {
      if case .build(let id, let kernel) = planned.step {
        lengths[index] += seconds[Build(id: id, kernel: kernel)] ?? 0
      }
      for other in planned.required + planned.earlier {
        lengths[other] = max(lengths[other], lengths[index])
      }
    }
    self.lengths = lengths
  }

  /// Whether all steps have ended.
  var isOver: Bool { outcomes.allSatisfy { $0 != nil } }

  /// Takes the next step to start.
  ///
  /// - Parameter hasRoom: Whether there is memory for another build; one always runs.
  /// - Returns: Its number; nil where none can start now.
  mutating func next(hasRoom: () -> Bool) -> Int? {
    isHeldBack = false
    let ready = waiting.filter { mayStart($0) }
    guard let next = nextOther(ready) ?? nextBuild(ready, hasRoom) else { return nil }
    waiting.removeAll { $0 == next }
    if isBuild(next) { builds += 1 } else { others += 1 }
    return next
  }

  private func nextOther(_ ready: [Int]) -> Int? {
    others < otherPlaces ? ready.first { !isBuild($0) } : nil
  }

  private mutating func nextBuild(_ ready: [Int], _ hasRoom: () -> Bool) -> Int? {
    let free = ready.filter { !plan.steps[$0].basis.buildsInSource || !isBesideAnother($0) }
    guard builds < places, let length = free.map({ lengths[$0] }).max() else { return nil }
    isHeldBack = builds > 0 && !hasRoom()
    return isHeldBack ? nil : free.first { lengths[$0] == length }
  }

  /// Notes what has become of a step that was started.
  mutating func end(_ index: Int, _ outcome: Outcome) {
    outcomes[index] = outcome
    if isBuild(index) { builds -= 1 } else { others -= 1 }
  }

  /// Whether the outcomes of the steps that this one depends on are reason to take it.
  func hasCause(_ index: Int) -> Bool {
    let planned = plan.steps[index]
    let isDone = { (step: Int) in outcomes[step]?.isDone == true }
    return planned.required.allSatisfy { isDone($0) || plan.steps[$0].isOptional }
      && (planned.earlier.isEmpty || planned.earlier.contains(where: isDone))
  }

  private func mayStart(_ index: Int) -> Bool {
    (plan.steps[index].required + plan.steps[index].earlier).allSatisfy { outcomes[$0] != nil }
  }

  private func isBuild(_ index: Int) -> Bool {
    if case .build = plan.steps[index].step { true } else { false }
  }

  /// Whether a build has to wait because an earlier step still has to build or install the same module for another
  /// kernel.
  private func isBesideAnother(_ index: Int) -> Bool {
    guard case .build(let id, let kernel) = plan.steps[index].step else { return false }
    return plan.steps.indices.prefix(index).contains { other in
      guard outcomes[other] == nil else { return false }
      return switch plan.steps[other].step {
      case .build(id, let theirs), .install(id, let theirs): theirs != kernel
      default: false
      }
    }
  }
}
