// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization

/// A clock that nobody sets: it measures how long something takes, whatever becomes of the time of day.
public struct SteadyClock: Sendable {
  /// How long it has been running; it stands still while the machine is suspended.
  public let now: @Sendable () -> Duration
  /// Waits until it shows a moment; false where the task is cancelled before.
  public let wait: @Sendable (_ moment: Duration) async -> Bool

  /// Makes a clock.
  public init(
    now: @escaping @Sendable () -> Duration, wait: @escaping @Sendable (_ moment: Duration) async -> Bool
  ) {
    self.now = now
    self.wait = wait
  }

  /// The clock of this machine.
  public static let live = SteadyClock(now: uptime) { moment in
    (try? await Task.sleep(for: moment - uptime())) != nil
  }

  @Sendable private static func uptime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

/// A clock that moves only when a test moves it.
public final class RecordedClock: Sendable {
  private let time = Mutex(Duration.zero)

  /// Makes a clock that shows nothing yet.
  public init() {}

  /// The clock as a machine has it.
  public var clock: SteadyClock {
    SteadyClock(now: { [self] in time.withLock { $0 } }) { [self] moment in
      while time.withLock({ $0 < moment }) {
        guard (try? await Task.sleep(for: .milliseconds(1))) != nil else { return false }
      }
      return !Task.isCancelled
    }
  }

  /// Moves the clock on.
  public func advance(by duration: Duration) { time.withLock { $0 += duration } }
}
