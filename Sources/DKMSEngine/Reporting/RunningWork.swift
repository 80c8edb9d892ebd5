// SPDX-License-Identifier: GPL-2.0-or-later

/// Work of one kind: what of it runs and since when, what is done, and what is to come.
///
/// It knows no clock: moments are told.
struct RunningWork: Sendable {
  /// What the kind is called: `built`.
  let participle: String
  /// How many may run at once.
  let places: Int
  /// What has not ended yet, with the seconds that it takes where those are known.
  private var open: [String: Int?]
  private let total: Int
  private var running: [Item] = []

  private struct Item {
    let subject: String
    let name: String
    let began: Duration
    var minutesTold = 0
  }

  /// Describes work before any of it begins.
  ///
  /// - Parameters:
  ///   - participle: What the kind is called.
  ///   - expected: The seconds that each subject takes; nil where nobody knows.
  ///   - places: How many may run at once.
  init(_ participle: String, expected: [String: Int?], places: Int = 1) {
    self.participle = participle
    self.places = max(places, 1)
    open = expected
    total = expected.count
  }

  /// Begins one of the subjects, which has a name for narrow terminals.
  mutating func begin(_ subject: String, as name: String, at now: Duration) {
    running.append(Item(subject: subject, name: name, began: now))
  }

  /// Ends one of the subjects.
  ///
  /// - Returns: How long it ran; nil where it never began.
  mutating func end(_ subject: String, at now: Duration) -> Duration? {
    open[subject] = nil
    guard let index = running.firstIndex(where: { $0.subject == subject }) else { return nil }
    return now - running.remove(at: index).began
  }

  /// What has run for another minute since this was last asked for: its subject, and for how long it has run.
  mutating func minutes(at now: Duration) -> [(subject: String, duration: Duration)] {
    var due: [(subject: String, duration: Duration)] = []
    for index in running.indices {
      let duration = now - running[index].began
      let minutes = Int(duration.components.seconds / 60)
      guard minutes > running[index].minutesTold else { continue }
      running[index].minutesTold = minutes
      due.append((running[index].subject, duration))
    }
    return due
  }

  /// The state of it in a line, the most telling one first; none while nothing runs.
  func lines(at now: Duration) -> [String] {
    guard !running.isEmpty else { return [] }
    let done = "\(total - open.count)/\(total) \(participle)"
    let left = timeLeft(at: now).map { ", about \($0.elapsed) left" } ?? ""
    let line = { (head: String, text: (Item) -> String) in
      "\(head): \(running.map { "\(text($0)) \((now - $0.began).elapsed)" }.joined(separator: ", "))"
    }
    return [line(done + left, \.subject), line(done + left, \.name), line(done, \.name)]
  }

  /// How long it will take until all is done; nil where that is not known of everything, or is over already.
  private func timeLeft(at now: Duration) -> Duration? {
    var (sum, longest) = (Duration.zero, Duration.zero)
    for (subject, seconds) in open {
      guard let seconds else { return nil }
      let elapsed = running.first { $0.subject == subject }.map { now - $0.began } ?? .zero
      let left = max(.seconds(seconds) - elapsed, .zero)
      sum += left
      longest = max(longest, left)
    }
    let left = max(longest, sum / places)
    return left > .seconds(1) ? left : nil
  }
}

extension Duration {
  /// How long something has run, for people: `42 s`, `2 min 0 s`.
  package var elapsed: String {
    let seconds = components.seconds
    return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
  }
}
