// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Module packages that take each other's place, and such that need each other.
@Suite(.requiresPacman)
struct ReplacementTests {
  /// A package that takes the place of hello-world-dkms.
  enum Successor: CaseIterable {
    /// The same module in another version, as packages of development versions have it.
    case sameName
    /// Another name in dkms.conf, the same module file.
    case otherName

    var module: String { self == .sameName ? "hello-world" : "hello-fork" }
    var version: String { self == .sameName ? "1.0.r7" : "7" }
  }

  private func makePackage(of successor: Successor, fails: Bool, in system: System) async throws -> String {
    try await system.makePackage(
      "\(successor)-dkms".lowercased(), "7-1",
      information: [
        "conflict = hello-world-dkms", "provides = hello-world-dkms", "replaces = hello-world-dkms",
      ],
      content: System.source(
        successor.module, successor.version, modules: ["hello_world"], extra: fails ? System.failing : ""))
  }

  /// Installs a package, and removes the one that it conflicts with.
  private func replace(with package: String, in system: System) async throws -> Run {
    try await system.pacman("-U", ["--ask", "4", package])
  }

  @Test(arguments: Successor.allCases)
  func anotherPackageTakesAModulesPlace(_ successor: Successor) async throws {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await replace(with: makePackage(of: successor, fails: false, in: system), in: system).mustSucceed()
    try await system.expectSettled(
      System.installed("\(successor.module)/\(successor.version)", System.lts, System.stable))
    for release in [System.lts, System.stable] {
      try await system.expectInstalled("hello_world", successor.version, for: release)
    }
    #expect(try await system.root.shell("ls /var/lib/dkms").lines == [successor.module])
  }

  @Test(arguments: Successor.allCases)
  func theModuleStaysWhereTheOtherPackagesFails(_ successor: Successor) async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let run = try await replace(with: makePackage(of: successor, fails: true, in: system), in: system)
    #expect(run.status == 0 && run.reportsFailedHook, "\(run)")
    #expect(run.all.contains("hello-world/1.0 stays installed for \(System.lts)"), "\(run)")
    let added = successor == .sameName ? [] : ["hello-fork/7: added"]
    let same = successor == .sameName ? ["hello-world/1.0.r7: added"] : []
    try await system.expectSettled(
      added + System.installed("hello-world/1.0", System.lts) + same, again: 1)
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)

    try await system.remove("\(successor)-dkms".lowercased()).mustSucceed()
    try await system.expectSettled([])
    #expect(try await system.installedModules().isEmpty)
  }

  @Test(arguments: ["hello-world-dkms", "fork-dkms"])
  func twoPackagesWithOneModuleFileAreNamedAndTheOtherComesBack(_ removed: String) async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let fork = try await system.makePackage(
      "fork-dkms", content: System.source("hello-fork", "7", modules: ["hello_world"]))
    let run = try await system.pacman("-U", [fork])
    #expect(run.status == 0, "\(run)")
    #expect(run.all.contains("hello-fork/7 and hello-world/1.0 both install hello_world.ko"), "\(run)")
    let place =
      "hello-fork/7 of fork-dkms has put its own in the place of that of hello-world-dkms: hello_world.ko"
    #expect(run.all.contains(place), "\(run)")
    #expect(run.all.contains("pacman -R hello-world-dkms"), "\(run)")

    try await system.remove(removed).mustSucceed()
    let (module, version) = removed == "fork-dkms" ? ("hello-world", "1.0") : ("hello-fork", "7")
    try await system.expectSettled(System.installed("\(module)/\(version)", System.lts))
    try await system.expectInstalled("hello_world", version, for: System.lts)
  }

  // MARK: BUILD_DEPENDS

  @Test(arguments: [
    ["hello-world-dkms=1.0-", "dependent-dkms"], ["dependent-dkms", "hello-world-dkms=1.0-"],
  ])
  func aModuleIsBuiltAfterTheOneItNeeds(order: [String]) async throws {
    let system = try await System.withTwoKernels()
    try await system.install(order[0], order[1]).mustSucceed()
    try await expectBoth(system, System.lts, System.stable)
  }

  @Test func aModuleArrivesAfterTheOneItNeeds() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.install("dependent-dkms").mustSucceed()
    try await expectBoth(system, System.lts)
  }

  @Test func aModuleWaitsForTheOneItNeedsAndSaysSo() async throws {
    let system = try await System.withLTSKernel()
    let run = try await system.install("dependent-dkms")
    #expect(run.status == 0 && run.reportsFailedHook, "\(run)")
    #expect(
      run.all.contains("dependent/1.0 needs hello-world, not installed for kernel \(System.lts)"), "\(run)")
    try await system.expectSettled(["dependent/1.0: added"], again: 1)
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await expectBoth(system, System.lts)
  }

  @Test func aKernelGetsBothInOrder() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("dependent-dkms", "hello-world-dkms=1.0-").mustSucceed()
    try await system.install("linux-rt", "linux-rt-headers").mustSucceed()
    try await expectBoth(system, System.lts, System.realtime)
  }

  private func expectBoth(
    _ system: System, _ releases: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let lines = ["dependent/1.0", "hello-world/1.0"].flatMap { module in
      releases.flatMap { System.installed(module, $0) }
    }
    try await system.expectSettled(lines, sourceLocation: sourceLocation)
    for release in releases {
      try await system.expectInstalled("hello_world", for: release, sourceLocation: sourceLocation)
      try await system.expectInstalled("dependent", for: release, sourceLocation: sourceLocation)
    }
  }
}
