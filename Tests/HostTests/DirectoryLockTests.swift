// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(60))) struct DirectoryLockTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("locked") }

  init() throws { directory = try TemporaryDirectory() }

  /// What happened, in its order.
  private final class Events: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { $0.append(name) } }
  }

  private static func isFree(_ path: FilePath) -> Bool {
    guard let lock = DirectoryLock.tryExclusive(path) else { return false }
    lock.release()
    return true
  }

  /// Takes the lock in a task of its own and gives it up again.
  private func waiter(
    _ events: Events, _ mode: DirectoryLock.Mode = .exclusive,
    whileHeld body: @escaping @Sendable () -> Void = {}
  ) -> Task<Void, any Error> {
    Task { [path] in
      let lock = try await DirectoryLock.acquire(path, mode, patience: .zero) { events.add("waits") }
      events.add("has it")
      body()
      lock.release()
    }
  }

  @Test func directoryIsMade() async throws {
    let lock = try await DirectoryLock.acquire(path, .exclusive) {}
    #expect(Disk.isDirectory(path))
    #expect(Disk.list(path).isEmpty)
    lock.release()
  }

  @Test(arguments: [DirectoryLock.Mode.exclusive, .shared])
  func exclusiveLockKeepsOthersOut(_ mode: DirectoryLock.Mode) async throws {
    let events = Events()
    let lock = try await DirectoryLock.acquire(path, .exclusive) { events.add("first waits") }
    let second = waiter(events, mode)
    #expect(try await eventually { events.all == ["waits"] })
    events.add("released")
    lock.release()
    try await second.value
    #expect(events.all == ["waits", "released", "has it"])
  }

  @Test func exclusiveWaitsForAllWhoShare() async throws {
    let events = Events()
    let one = try await DirectoryLock.acquire(path, .shared) { events.add("first waits") }
    let two = try await DirectoryLock.acquire(path, .shared) { events.add("second waits") }
    let third = waiter(events)
    #expect(try await eventually { events.all == ["waits"] })
    one.release()
    #expect(!Self.isFree(path))
    #expect(events.all == ["waits"])
    events.add("released")
    two.release()
    try await third.value
    #expect(events.all == ["waits", "released", "has it"])
  }

  @Test func shortWaitsAreNotAnnounced() async throws {
    let events = Events()
    let lock = try await DirectoryLock.acquire(path, .exclusive) {}
    let patient = Task { [path] in
      let lock = try await DirectoryLock.acquire(path, .exclusive, patience: .seconds(86400)) {
        events.add("waits patiently")
      }
      lock.release()
    }
    let impatient = waiter(events)
    #expect(try await eventually { events.all == ["waits"] })
    lock.release()
    try await patient.value
    try await impatient.value
    #expect(events.all == ["waits", "has it"])
  }

  @Test func lockGoesWithItsValue() async throws {
    do {
      let lock = try await DirectoryLock.acquire(path, .exclusive) {}
      #expect(!Self.isFree(path))
      _ = lock
    }
    #expect(Self.isFree(path))
  }

  @Test func tryingDoesNotMakeADirectory() {
    #expect(!Self.isFree(path))
    #expect(Disk.kind(path) == nil)
  }

  @Test func tryingTakesTheLock() throws {
    try Files.makeDirectories(path)
    let lock = DirectoryLock.tryExclusive(path)
    #expect(!Self.isFree(path))
    lock?.release()
    #expect(Self.isFree(path))
  }

  @Test func waiterGetsTheNewDirectoryWhenTheOldIsRemoved() async throws {
    let events = Events()
    let lock = try await DirectoryLock.acquire(path, .exclusive) {}
    let second = waiter(events) { [path] in
      if !Self.isFree(path), Disk.isDirectory(path) { events.add("it is this one") }
    }
    #expect(try await eventually { events.all == ["waits"] })
    try Files.remove(path)
    lock.release()
    try await second.value
    #expect(events.all == ["waits", "has it", "it is this one"])
  }

  @Test func waiterGetsTheDirectoryThatTookItsPlace() async throws {
    let events = Events()
    let lock = try await DirectoryLock.acquire(path, .exclusive) {}
    let second = waiter(events)
    #expect(try await eventually { events.all == ["waits"] })
    try Files.rename(path, to: directory.path.appending("doomed"))
    let third = try await DirectoryLock.acquire(path, .exclusive) {}
    lock.release()
    #expect(events.all == ["waits"])
    third.release()
    try await second.value
    #expect(events.all.last == "has it")
  }

  @Test func killedHolderIsNoObstacle() async throws {
    try Files.makeDirectories(path)
    let events = Events()
    let started = directory.path.appending("started")
    let holder = Task { [path] in
      try await ProcessLauncher().run(
        Command(
          "flock", ["--no-fork", path.string, "sh", "-c", #": > "$0"; exec sleep 300"#, started.string],
          environment: ["PATH": "/usr/bin:/bin"]))
    }
    #expect(try await eventually { Disk.kind(started) != nil })
    #expect(!Self.isFree(path))
    let second = waiter(events)
    #expect(try await eventually { events.all == ["waits"] })
    holder.cancel()
    try await second.value
    #expect(events.all == ["waits", "has it"])
    _ = try await holder.value
  }

  @Test func fileCannotBeLocked() async throws {
    let file = try directory.write("", to: "file")
    await #expect(throws: HostError.self) {
      try await DirectoryLock.acquire(file, .exclusive) {}.release()
    }
  }
}
