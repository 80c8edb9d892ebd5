// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization

/// Runs blocking work on its own thread, so that it does not occupy one of the few threads that tasks share.
package func onOwnThread(_ body: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
    let work = Unmanaged.passRetained(
      Work {
        body()
        continuation.resume()
      })
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        argument.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    if code == 0 {
      pthread_detach(thread)
    } else {
      work.takeRetainedValue().body()
    }
  }
}

private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A fact that is read when it is first asked for, and never again; that the look failed is remembered, too.
package final class Once<Value: Sendable>: Sendable {
  private let answer = Mutex<Result<Value, HostError>?>(nil)

  /// Makes a fact that nobody has asked for yet.
  package init() {}

  /// The fact; `look` is called the first time.
  ///
  /// - Throws: `HostError` where that look failed, however often it is asked for.
  package func value(_ look: () throws(HostError) -> Value) throws(HostError) -> Value {
    try answer.withLock { answer in
      if let answer { return answer }
      let result: Result<Value, HostError>
      do throws(HostError) { result = .success(try look()) } catch { result = .failure(error) }
      answer = result
      return result
    }.get()
  }
}

/// Values that are made when they are first asked for by their key, and kept.
package final class Register<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])

  /// Makes an empty register.
  package init() {}

  /// The value of a key; `make` is called the first time.
  package func value(of key: Key, _ make: () -> Value) -> Value {
    values.withLock { values in
      if let value = values[key] { return value }
      let value = make()
      values[key] = value
      return value
    }
  }
}
