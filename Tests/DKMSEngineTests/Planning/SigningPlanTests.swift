// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

@Suite struct SigningPlanTests {
  private var scene = Scene()
  private let kernels: [Kernel]
  private let keys = KeyPair(key: "/dkms/mok.key", certificate: "/dkms/mok.pub")

  init() throws {
    kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    for kernel in kernels {
      scene.facts.kernels[kernel]?.signing = SigningFacts(isWanted: true, keys: keys, state: .absent)
    }
  }

  @Test func keysAreMadeOnceBeforeEveryBuild() throws {
    var scene = scene
    let ids = [try scene.module("a"), try scene.module("b")]
    let plan = scene.autoinstall()
    #expect(plan.lines.count { $0.hasPrefix("make ") } == 1)
    #expect(plan.reasons.contains("make /dkms/mok.key: signing"))
    for id in ids {
      for kernel in kernels {
        #expect(plan.requires("build \(id) for \(kernel.release)", "make /dkms/mok.key"))
      }
    }
    #expect(plan.steps.filter(\.isOptional).map(\.step) == [.makeKeys(keys)])
  }

  @Test func keysOfTheirOwnForEachKernel() throws {
    var scene = scene
    let other = KeyPair(key: "/dkms/6.2.0.key", certificate: "/dkms/6.2.0.pub")
    scene.facts.kernels[kernels[1]]?.signing?.keys = other
    let id = try scene.module("a")
    let plan = scene.install(id)
    #expect(plan.lines.filter { $0.hasPrefix("make ") } == ["make /dkms/mok.key", "make /dkms/6.2.0.key"])
    #expect(plan.requires("build a/1.0 for 6.2.0", "make /dkms/6.2.0.key"))
    #expect(!plan.requires("build a/1.0 for 6.2.0", "make /dkms/mok.key"))
  }

  @Test func certificateThatHasLostItsKeyIsReplaced() throws {
    var scene = scene
    for kernel in kernels { scene.facts.kernels[kernel]?.signing?.state = .withoutKey }
    let id = try scene.module("a")
    #expect(scene.install(id).lines.contains { $0.hasPrefix("make ") })
  }

  @Test(arguments: [KeyState.complete, .withoutCertificate])
  func keysAreLeft(_ state: KeyState) throws {
    var scene = scene
    for kernel in kernels { scene.facts.kernels[kernel]?.signing?.state = state }
    let id = try scene.module("a")
    #expect(!scene.install(id).lines.contains { $0.hasPrefix("make ") })
  }

  @Test func keysThatNothingNeedsAreNotMade() throws {
    var scene = scene
    let id = try scene.module("a", built: kernels)
    #expect(!scene.install(id).lines.contains { $0.hasPrefix("make ") })
    for kernel in kernels { scene.facts.kernels[kernel]?.signing?.isWanted = false }
    let other = try scene.module("b")
    #expect(!scene.install(other).lines.contains { $0.hasPrefix("make ") })
  }

  @Test func keysByThemselves() throws {
    var scene = scene
    let kernel = kernels[0]
    // Asked for by name they are made even for a kernel that verifies nothing.
    scene.facts.kernels[kernel]?.signing?.isWanted = false
    #expect(
      try Planner.makeKeys(for: kernel, facts: scene.facts).reasons == ["make /dkms/mok.key: requested"])
    #expect(try !Planner.makeKeys(for: kernel, facts: scene.facts).steps.contains { $0.isOptional })
    scene.facts.kernels[kernel]?.signing?.state = .complete
    #expect(try Planner.makeKeys(for: kernel, facts: scene.facts).isEmpty)
    scene.facts.kernels[kernel]?.signing?.state = .withoutCertificate
    #expect(throws: DKMSError.keysUnavailable(.certificateMissing(keys))) {
      try Planner.makeKeys(for: kernel, facts: scene.facts)
    }
  }

  @Test func kernelWithoutCompilerStopsOnlyItsOwnBuilds() throws {
    var scene = scene
    let error = DKMSError.compilerMissing(kernels[0], program: "gcc-12", packages: "gcc")
    scene.facts.kernels[kernels[0]]?.toolchainError = error
    for name in ["a", "b"] { try scene.module(name, "1.0", .absent) }
    let id = try scene.module("c", built: [kernels[0]])
    let plan = scene.install(try module("a", "1.0"))
    #expect(plan.obstacles == [error])
    #expect(plan.lines.contains("build a/1.0 for 6.2.0") && !plan.lines.contains("build a/1.0 for 6.1.0"))
    #expect(scene.install(id, for: [kernels[0]]).lines == ["install c/1.0 for 6.1.0", "depmod 6.1.0"])
    scene.options.isForced = true
    #expect(scene.install(try module("a", "1.0")).lines.contains("build a/1.0 for 6.1.0"))
  }
}
