// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage

/// A system of its own to run pacman in; it goes with the last reference to it.
public final class ThrowawayRoot: Sendable {
  private let directory: FilePath
  private static let script = TestParts.repository.appending("Tests/Root/throwaway-root")

  /// Makes a root; `base` is what it starts as, and must not be changed as long as this one lives.
  public init(from base: ThrowawayRoot? = nil) async throws {
    directory = try Files.makeTemporaryDirectory(in: Self.home, prefix: "root.")
    let from = base.map { ["--from", $0.directory.string] } ?? []
    try await Self.succeed(["new", directory.string] + from)
  }

  deinit {
    // Not through the script: a deinitialiser cannot wait for a program. Nothing is mounted any more.
    try? Files.remove(directory)
  }

  /// Where the roots of this process are; what dead ones left there goes first.
  private static let home: FilePath = {
    let parent: FilePath = Disk.isWritable("/dev/shm") ? "/dev/shm" : "/var/tmp"
    let prefix = "alpm-dkms-test-"
    for name in Disk.list(parent) where name.hasPrefix(prefix) {
      if let owner = pid_t(name.dropFirst(prefix.count)), kill(owner, 0) != 0 {
        try? Files.remove(parent.appending(name))
      }
    }
    let home = parent.appending("\(prefix)\(getpid())")
    try? Files.makeDirectories(home)
    // Roots in global constants are never deinitialised.
    atexit { try? Files.remove(ThrowawayRoot.home) }
    return home
  }()

  /// Runs a command inside.
  public func run(_ arguments: [String], input: [UInt8]? = nil) async throws -> Run {
    try await Turnstile.roots.pass {
      try await Run.program(
        Self.script, ["run", directory.string, "--"] + arguments,
        environment: ["COMPILER_CACHE": TestParts.compilerCache.string], input: input)
    }
  }

  /// Runs a shell command inside.
  public func shell(_ command: String) async throws -> Run {
    try await run(["/bin/sh", "-c", command])
  }

  /// Puts a file of the host into the root, for the next command.
  public func add(_ file: FilePath, as path: String) throws {
    let goal = directory.appending("upper").appending(FilePath(path).components)
    try Files.makeDirectories(goal.removingLastComponent())
    try Files.copy(
      file, to: goal, permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
  }

  private static func succeed(_ arguments: [String]) async throws {
    let run = try await Turnstile.roots.pass { try await Run.program(script, arguments) }
    if run.status != 0 { throw Failure(arguments: arguments, run: run) }
  }

  struct Failure: Error {
    let arguments: [String]
    let run: Run
  }
}
