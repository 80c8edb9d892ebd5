// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

@Suite struct RemovalPlanTests {
  private func remove(_ id: ModuleID, _ kernels: [Kernel], _ scene: Scene) -> Plan {
    Planner.remove(id, for: kernels, facts: scene.facts, options: scene.options)
  }

  @Test func uninstallLeavesTheBuild() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module("hello", installed: kernels)
    let plan = Planner.uninstall(id, for: [kernels[0]], facts: scene.facts, options: scene.options)
    #expect(plan.reasons == ["uninstall hello/1.0 for 6.1.0: requested", "depmod 6.1.0: modulesChange"])
    #expect(plan.follows("depmod 6.1.0", "uninstall hello/1.0 for 6.1.0"))
  }

  @Test func thereIsNothingToUninstallOfABuild() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", built: [kernel])
    let plan = Planner.uninstall(id, for: [kernel], facts: scene.facts, options: scene.options)
    #expect(plan.isEmpty)
    #expect(plan.obstacles.isEmpty)
  }

  @Test func unbuildUninstallsFirst() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module("hello", built: [kernels[1]], installed: [kernels[0]])
    let plan = Planner.unbuild(id, for: kernels, facts: scene.facts, options: scene.options)
    #expect(
      plan.lines == [
        "uninstall hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.2.0",
        "depmod 6.1.0",
      ])
    #expect(plan.requires("unbuild hello/1.0 for 6.1.0", "uninstall hello/1.0 for 6.1.0"))
  }

  @Test func removalOfTheLastBuildUnregisters() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", installed: [kernel])
    let steps = ["uninstall hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.1.0"]
    let plan = remove(id, [kernel], scene)
    #expect(plan.lines == steps + ["unregister hello/1.0", "depmod 6.1.0"])
    for step in steps { #expect(plan.requires("unregister hello/1.0", step)) }
  }

  @Test func otherBuildsKeepAModuleRegistered() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module("hello", installed: kernels)
    let plan = remove(id, [kernels[0]], scene)
    #expect(plan.lines == ["uninstall hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.1.0", "depmod 6.1.0"])
  }

  @Test func moduleWithoutBuildsIsUnregistered() throws {
    var scene = Scene()
    let id = try scene.module("hello")
    #expect(remove(id, [], scene).lines == ["unregister hello/1.0"])
  }

  @Test func brokenModuleIsRemoved() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0", exists: false)
    let id = try scene.module("hello", "1.0", .broken, hasSource: false, installed: [kernel])
    let plan = remove(id, [kernel], scene)
    #expect(plan.lines.contains("unregister hello/1.0"))
    #expect(plan.obstacles.isEmpty)
  }

  @Test func moduleThatIsNotThereIsAnError() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .absent)
    let plans = [
      remove(id, [kernel], scene),
      Planner.uninstall(id, for: [kernel], facts: scene.facts, options: scene.options),
      Planner.unbuild(id, for: [kernel], facts: scene.facts, options: scene.options),
    ]
    for plan in plans {
      #expect(plan.isEmpty)
      #expect(plan.obstacles == [.notAdded(id)])
    }
  }
}
