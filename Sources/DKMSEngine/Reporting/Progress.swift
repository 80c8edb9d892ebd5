// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
internal import Synchronization
package import SystemPackage

/// Tells people that work goes on as long as it does, in the way that the machine at hand allows.
package final class Progress: Sendable {
  private let host: Host
  private let sign: SignOfLife
  private let work: Mutex<RunningWork>
  /// What the work is called while it lasts: `building`.
  private let gerund: String

  /// Gets ready to tell of work.
  ///
  /// - Parameters:
  ///   - gerund: What it is called while it lasts.
  ///   - participle: What it is called when it is done.
  ///   - expected: The seconds that each subject takes; nil where nobody knows.
  ///   - places: How many subjects may run at once.
  ///   - host: The machine.
  ///   - isVerbose: Whether commands are printed, which leaves no line of the terminal to rewrite.
  package init(
    _ gerund: String, _ participle: String, expected: [String: Int?], places: Int = 1, on host: Host,
    isVerbose: Bool = false
  ) {
    self.gerund = gerund
    self.host = host
    work = Mutex(RunningWork(participle, expected: expected, places: places))
    if isVerbose, case .live = host.signOfLife { sign = .none } else { sign = host.signOfLife }
  }

  /// Whether people are told how long something took.
  package var isTold: Bool { if case .none = sign { false } else { true } }

  /// Says that one of the subjects begins, and where its log is to be read meanwhile.
  package func began(_ subject: String, as name: String, log: FilePath? = nil) {
    work.withLock { $0.begin(subject, as: name, at: host.clock.now()) }
    guard case .lines = sign else { return }
    host.console.print("  -> \(gerund) \(subject)\(log.map { ", log: \($0)" } ?? "")")
  }

  /// Notes that one of the subjects has ended.
  ///
  /// - Returns: How long it ran; nil where it never began.
  package func ended(_ subject: String) -> Duration? {
    work.withLock { $0.end(subject, at: host.clock.now()) }
  }

  /// Does the work, and tells of it meanwhile.
  package func accompany<Value>(_ body: () async -> Value) async -> Value {
    guard isTold else { return await body() }
    let start = host.clock.now()
    let telling = Task { await tell(from: start) }
    let value = await body()
    telling.cancel()
    await telling.value
    if case .live(let line) = sign { line.erase() }
    return value
  }

  /// Looks once a second what there is to tell.
  private func tell(from start: Duration) async {
    var now = start
    while await host.clock.wait(now + .seconds(1)) {
      now = host.clock.now()
      if case .live(let line) = sign {
        line.show(work.withLock { $0.lines(at: now) })
      } else {
        for (subject, duration) in work.withLock({ $0.minutes(at: now) }) {
          host.console.print("  -> still \(gerund) \(subject), \(duration.elapsed)")
        }
      }
    }
  }
}
