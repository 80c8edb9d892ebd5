// SPDX-License-Identifier: GPL-2.0-or-later

/// Lets a few programs run at a time, however many tests do.
public actor Turnstile {
  /// For calls of `dkms`, some of which wait for each other.
  public static let machines = Turnstile(places: 4)

  /// For what happens in throwaway roots.
  public static let roots = Turnstile(places: 4)

  private var places: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  init(places: Int) { self.places = places }

  /// Does something as soon as there is a place.
  ///
  /// - Returns: What it returns.
  /// - Throws: What it throws.
  public nonisolated func pass<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    await enter()
    do {
      let value = try await body()
      await leave()
      return value
    } catch {
      await leave()
      throw error
    }
  }

  private func enter() async {
    if places > 0 {
      places -= 1
    } else {
      await withCheckedContinuation { queue.append($0) }
    }
  }

  private func leave() {
    if queue.isEmpty { places += 1 } else { queue.removeFirst().resume() }
  }
}
