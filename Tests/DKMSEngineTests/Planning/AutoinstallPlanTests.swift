// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

@Suite struct AutoinstallPlanTests {
  @Test(arguments: [["base", "middle", "top"], ["top", "middle", "base"], ["middle", "top", "base"]])
  func dependenciesComeFirstInWhateverOrderTheyAreListed(_ order: [String]) throws {
    let needs = ["base": [], "middle": ["base"], "top": ["middle", "base"]]
    var scene = Scene()
    try scene.kernel("6.1.0")
    for name in order { try scene.module(name, needs: needs[name] ?? []) }
    let plan = scene.autoinstall()
    #expect(plan.obstacles.isEmpty)
    #expect(plan.lines.count { $0.hasPrefix("install") } == 3)
    #expect(plan.lines.count { $0.hasPrefix("build") } == 3)
    #expect(plan.requires("build middle/1.0 for 6.1.0", "install base/1.0 for 6.1.0"))
    #expect(plan.requires("build top/1.0 for 6.1.0", "install middle/1.0 for 6.1.0"))
    #expect(plan.requires("build top/1.0 for 6.1.0", "install base/1.0 for 6.1.0"))
    #expect(!plan.follows("build base/1.0 for 6.1.0", "install middle/1.0 for 6.1.0"))
  }

  @Test func modulesThatNeedNothingDoNotWait() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    try scene.module("a")
    try scene.module("b")
    let plan = scene.autoinstall()
    #expect(!plan.follows("build a/1.0 for 6.1.0", "build b/1.0 for 6.1.0"))
    #expect(!plan.follows("build b/1.0 for 6.1.0", "build a/1.0 for 6.1.0"))
    #expect(plan.lines.filter { $0.hasPrefix("depmod") } == ["depmod 6.1.0"])
    #expect(plan.follows("depmod 6.1.0", "install a/1.0 for 6.1.0"))
    #expect(plan.follows("depmod 6.1.0", "install b/1.0 for 6.1.0"))
    #expect(plan.lines.last == "depmod 6.1.0")
  }

  @Test(arguments: [["a", "b"], ["b", "a"]])
  func cycleIsAMissingDependency(_ order: [String]) throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    for name in order { try scene.module(name, needs: [name == "a" ? "b" : "a"]) }
    try scene.module("c")
    let plan = scene.autoinstall()
    #expect(plan.lines == ["build c/1.0 for 6.1.0", "install c/1.0 for 6.1.0", "depmod 6.1.0"])
    let (a, b) = (try ModuleID(name: "a", version: "1.0"), try ModuleID(name: "b", version: "1.0"))
    #expect(
      Set(plan.obstacles) == [
        .dependenciesMissing(a, kernel, names: ["b"], registered: [b]),
        .dependenciesMissing(b, kernel, names: ["a"], registered: [a]),
      ])
  }

  @Test func moduleThatNeedsItselfIsAMissingDependency() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("a", needs: ["a"])
    #expect(
      scene.autoinstall().obstacles == [.dependenciesMissing(id, kernel, names: ["a"], registered: [id])])
  }

  @Test func whatNeedsAnExcludedModuleIsMissingIt() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let top = try scene.module("atop", needs: ["base"])
    let base = try scene.module("base", exclusion: "too old")
    let plan = scene.autoinstall()
    #expect(plan.isEmpty)
    #expect(
      Set(plan.obstacles) == [
        .excluded(base, kernel, reason: "too old"),
        .dependenciesMissing(top, kernel, names: ["base"], registered: [base]),
      ])
  }

  @Test func modulesThatDoNotWantItArePassedOver() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let manual = try scene.module("manual", autoinstall: false)
    let plan = scene.autoinstall()
    #expect(plan.isEmpty)
    #expect(plan.skips == [Skip(manual, kernel, .notAutoinstalled)])
    #expect(plan.obstacles.isEmpty)
  }

  @Test func dependencyThatDoesNotWantItMustBeThereAlready() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let manual = try scene.module("manual", autoinstall: false)
    let id = try scene.module("hello", needs: ["manual"])
    #expect(
      scene.autoinstall().obstacles == [
        .dependenciesMissing(id, kernel, names: ["manual"], registered: [manual])
      ])
  }

  @Test func newestVersionIsChosen() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    try scene.module("hello", "1.9")
    try scene.module("hello", "1.10")
    #expect(
      scene.autoinstall().lines
        == ["build hello/1.10 for 6.1.0", "install hello/1.10 for 6.1.0", "depmod 6.1.0"])
  }

  @Test func versionKeptOnlyForWhatIsInstalledIsNotChosen() throws {
    var scene = Scene()
    let old = try scene.kernel("6.1.0")
    try scene.kernel("6.2.0")
    try scene.module("hello", "1.0", installed: [])
    try scene.module("hello", "2.0", .lastGood, hasSource: false, installed: [old])
    let lines = scene.autoinstall().lines
    #expect(!lines.contains("build hello/2.0 for 6.2.0"))
    #expect(lines.contains("install hello/1.0 for 6.2.0"))
  }

  @Test func brokenModuleStopsNoOther() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let broken = try scene.module("broken", "1.0", .broken, hasSource: false)
    try scene.module("hello")
    let plan = scene.autoinstall()
    #expect(plan.lines == ["build hello/1.0 for 6.1.0", "install hello/1.0 for 6.1.0", "depmod 6.1.0"])
    #expect(plan.obstacles == [.moduleBroken(broken, link: "/src/broken-1.0")])
  }

  @Test func everyKernelGetsWhatItLacks() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module("hello", installed: [kernels[0]])
    let plan = scene.autoinstall()
    #expect(
      plan.reasons == [
        "build hello/1.0 for 6.2.0: notInstalled", "install hello/1.0 for 6.2.0: notInstalled",
        "depmod 6.2.0: modulesChange",
      ])
    #expect(plan.skips == [Skip(id, kernels[0], .upToDate)])
  }
}
