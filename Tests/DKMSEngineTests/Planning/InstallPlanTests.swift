// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

@Suite struct InstallPlanTests {
  @Test func whatIsMissingIsDoneFirst() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .absent)
    let plan = scene.install(id)
    #expect(
      plan.reasons == [
        "add hello/1.0 from /src/hello-1.0: requested", "build hello/1.0 for 6.1.0: requested",
        "install hello/1.0 for 6.1.0: requested", "depmod 6.1.0: modulesChange",
      ])
    #expect(plan.requires("build hello/1.0 for 6.1.0", "add hello/1.0 from /src/hello-1.0"))
    #expect(plan.requires("install hello/1.0 for 6.1.0", "build hello/1.0 for 6.1.0"))
    #expect(plan.follows("depmod 6.1.0", "install hello/1.0 for 6.1.0"))
    #expect(!plan.requires("depmod 6.1.0", "install hello/1.0 for 6.1.0"))
    #expect(plan.skips.isEmpty)
  }

  @Test func kernelsDoNotWaitForEachOther() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    try scene.kernel("6.1.1")
    let id = try scene.module("hello", "1.0", .absent)
    let plan = scene.install(id)
    #expect(plan.lines.count { $0.hasPrefix("add") } == 1)
    #expect(plan.lines.filter { $0.hasPrefix("depmod") } == ["depmod 6.1.0", "depmod 6.1.1"])
    for (one, other) in [("6.1.0", "6.1.1"), ("6.1.1", "6.1.0")] {
      for step in ["build", "install"] {
        #expect(
          plan.requires("install hello/1.0 for \(one)", "\(step) hello/1.0 for \(one)") == (step == "build"))
        #expect(!plan.follows("install hello/1.0 for \(one)", "\(step) hello/1.0 for \(other)"))
      }
    }
  }

  @Test func builtModuleIsOnlyInstalled() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", built: [kernel])
    #expect(scene.install(id).lines == ["install hello/1.0 for 6.1.0", "depmod 6.1.0"])
  }

  @Test func installedModuleIsUpToDate() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", installed: [kernel])
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.skips == [Skip(id, kernel, .upToDate)])
    #expect(plan.obstacles.isEmpty)
  }

  @Test func forceInstallsAgain() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", installed: [kernel])
    scene.options.isForced = true
    #expect(scene.install(id).lines == ["install hello/1.0 for 6.1.0", "depmod 6.1.0"])
  }

  @Test func buildStopsBeforeInstalling() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .absent)
    let plan = Planner.build(id, for: [kernel], facts: scene.facts, options: scene.options)
    #expect(plan.lines == ["add hello/1.0 from /src/hello-1.0", "build hello/1.0 for 6.1.0"])
  }

  @Test func builtModuleIsUpToDateUnlessForced() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", built: [kernel])
    let plan = Planner.build(id, for: [kernel], facts: scene.facts, options: scene.options)
    #expect(plan.isEmpty)
    #expect(plan.skips == [Skip(id, kernel, .upToDate)])
    scene.options.isForced = true
    let forced = Planner.build(id, for: [kernel], facts: scene.facts, options: scene.options)
    #expect(forced.lines == ["build hello/1.0 for 6.1.0"])
  }

  @Test func depmodIsLeftToTheCaller() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", built: [kernel])
    scene.options.skipsDepmod = true
    #expect(scene.install(id).lines == ["install hello/1.0 for 6.1.0"])
  }

  @Test func addingTwiceIsAnError() throws {
    var scene = Scene()
    let id = try scene.module("hello")
    let plan = Planner.add(id, facts: scene.facts, options: scene.options)
    #expect(plan.isEmpty)
    #expect(plan.obstacles == [.alreadyAdded(id)])
  }

  @Test func addingMendsABrokenModuleWhoseSourceIsThere() throws {
    var scene = Scene()
    let id = try scene.module("hello", "1.0", .broken)
    let plan = Planner.add(id, facts: scene.facts, options: scene.options)
    #expect(plan.reasons == ["relink hello/1.0 to /src/hello-1.0: requested"])
    #expect(plan.skips.isEmpty)
  }

  // MARK: Obstacles

  @Test func missingSourceIsAnObstacle() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let id = try ModuleID(name: "hello", version: "1.0")
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.obstacles.map(\.exitStatus) == [.usage])
  }

  @Test func brokenModuleIsAnObstacle() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let missing = DKMSError.configurationMissing(path: "/src/hello-1.0/dkms.conf")
    let id = try scene.module("hello", "1.0", .broken, hasSource: false, unreadable: missing)
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.obstacles == [.moduleBroken(id, link: "/src/hello-1.0")])
    #expect(plan.obstacles.map(\.exitStatus) == [.broken])
  }

  @Test func unreadableConfigurationIsAnObstacle() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let error = DKMSError.configurationInvalid(path: "/src/hello-1.0/dkms.conf", problems: ["bad"])
    let id = try scene.module("hello", unreadable: error)
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.obstacles == [error])
  }

  @Test func excludedKernelIsAnObstacleForItselfOnly() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module("hello")
    guard case .read(var configuration) = scene.facts.configurations[id]?[kernels[0]] else { return }
    configuration.exclusion = "too old"
    scene.facts.configurations[id]?[kernels[0]] = .read(configuration)
    let plan = scene.install(id)
    #expect(plan.lines == ["build hello/1.0 for 6.2.0", "install hello/1.0 for 6.2.0", "depmod 6.2.0"])
    #expect(plan.obstacles == [.excluded(id, kernels[0], reason: "too old")])
    #expect(plan.obstacles.map(\.exitStatus) == [.excluded])
  }

  @Test func missingHeadersAreAnObstacle() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0", hasHeaders: false, package: "linux-headers")
    let id = try scene.module("hello", "1.0", .absent)
    let plan = scene.install(id)
    #expect(!plan.lines.contains { $0.hasPrefix("build") || $0.hasPrefix("install") })
    #expect(
      plan.obstacles == [.headersMissing(kernel, directory: "/modules/6.1.0/build", package: "linux-headers")]
    )
  }

  @Test func builtModuleNeedsNoHeaders() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0", hasHeaders: false)
    let id = try scene.module("hello", built: [kernel])
    #expect(scene.install(id).lines == ["install hello/1.0 for 6.1.0", "depmod 6.1.0"])
  }

  @Test func missingKernelIsAnObstacle() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0", exists: false, hasHeaders: false)
    let id = try scene.module("hello")
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.obstacles == [.headersMissing(kernel, directory: "/modules/6.1.0/build", package: nil)])
  }

  @Test func missingKernelWhoseHeadersAreElsewhereCanBeBuiltFor() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0", exists: false, hasHeaders: true)
    let id = try scene.module("hello")
    let plan = scene.install(id)
    #expect(plan.lines == ["build hello/1.0 for 6.1.0"])
    #expect(plan.obstacles == [.kernelMissing(kernel.release, directory: "/modules/6.1.0")])
  }

  @Test func dependenciesThatAKilledRunLeftStaleAreWrittenAnew() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    scene.facts.kernels[kernel]?.hasStaleDependencies = true
    let id = try scene.module("hello", installed: [kernel])
    #expect(scene.install(id).lines == ["depmod 6.1.0"])
    #expect(scene.autoinstall().lines == ["depmod 6.1.0"])
    #expect(scene.settle().lines == ["depmod 6.1.0"])
    let other = try scene.module("other", "1.0", installed: [kernel])
    let removal = Planner.uninstall(other, for: [kernel], facts: scene.facts, options: scene.options)
    #expect(removal.lines == ["uninstall other/1.0 for 6.1.0", "depmod 6.1.0"])
    scene.options.skipsDepmod = true
    #expect(scene.install(id).isEmpty)
    #expect(scene.autoinstall().isEmpty)
  }

  @Test func moduleIsRegisteredThoughItIsNotForTheKernel() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .absent, exclusion: "too old")
    let plan = scene.install(id)
    #expect(plan.lines == ["add hello/1.0 from /src/hello-1.0"])
    #expect(plan.obstacles.map(\.exitStatus) == [.excluded])
  }

  @Test func moduleThatCannotBeUnderstoodIsNotRegistered() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let error = DKMSError.configurationInvalid(path: "/src/hello-1.0/dkms.conf", problems: ["bad"])
    let id = try scene.module("hello", "1.0", .absent, unreadable: error)
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(plan.obstacles == [error])
  }

  @Test func missingDependencyIsAnObstacleUnlessForced() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("other", installed: [kernel])
    try scene.module("base", built: [kernel])
    let id = try scene.module("hello", needs: ["other", "base", "third"])
    let plan = scene.install(id)
    #expect(plan.isEmpty)
    #expect(
      plan.obstacles == [
        .dependenciesMissing(
          id, kernel, names: ["base", "third"], registered: [try module("base", "1.0")])
      ])
    #expect(plan.obstacles.map(\.exitStatus) == [.missingDependency])
    scene.options.isForced = true
    #expect(scene.install(id).lines.contains("build hello/1.0 for 6.1.0"))
  }

  @Test func installedDependencyStands() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("base", "2.0", installed: [kernel])
    let id = try scene.module("hello", needs: ["base"])
    #expect(
      scene.install(id).lines
        == ["build hello/1.0 for 6.1.0", "install hello/1.0 for 6.1.0", "depmod 6.1.0"])
  }
}
