// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@testable import DKMSEngine

/// What follows a package transaction.
@Suite struct SettlePlanTests {
  @Test func newModuleIsInstalledForEveryKernel() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    try scene.kernel("6.2.0")
    let id = try scene.module("hello", "1.0", .absent)
    try scene.module("other", autoinstall: false)
    let plan = scene.settle(changed: [id])
    #expect(
      plan.reasons == [
        "add hello/1.0 from /src/hello-1.0: sourceChanged",
        "build hello/1.0 for 6.1.0: sourceChanged", "install hello/1.0 for 6.1.0: sourceChanged",
        "build hello/1.0 for 6.2.0: sourceChanged", "install hello/1.0 for 6.2.0: sourceChanged",
        "depmod 6.1.0: modulesChange", "depmod 6.2.0: modulesChange",
      ])
  }

  @Test func newModuleThatDoesNotWantItIsOnlyRegistered() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .absent, autoinstall: false)
    let plan = scene.settle(changed: [id])
    #expect(plan.lines == ["add hello/1.0 from /src/hello-1.0"])
    #expect(plan.skips == [Skip(id, kernel, .notAutoinstalled)])
  }

  @Test func changedSourceIsBuiltAnew() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", installed: [kernel])
    let plan = scene.settle(changed: [id])
    #expect(
      plan.reasons == [
        "build hello/1.0 for 6.1.0: sourceChanged", "install hello/1.0 for 6.1.0: sourceChanged",
        "depmod 6.1.0: modulesChange",
      ])
  }

  @Test func newKernelGetsEveryModule() throws {
    var scene = Scene()
    let old = try scene.kernel("6.1.0")
    let new = try scene.kernel("6.2.0")
    try scene.module("a", installed: [old])
    try scene.module("b", installed: [old])
    let plan = scene.settle(changedKernels: [new])
    #expect(
      plan.reasons == [
        "build a/1.0 for 6.2.0: kernelChanged", "install a/1.0 for 6.2.0: kernelChanged",
        "build b/1.0 for 6.2.0: kernelChanged", "install b/1.0 for 6.2.0: kernelChanged",
        "depmod 6.2.0: modulesChange",
      ])
  }

  @Test func newKernelGetsSourcesThatAreNotRegistered() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("hello", "1.0", .absent)
    #expect(
      scene.settle(changedKernels: [kernel]).lines == [
        "add hello/1.0 from /src/hello-1.0", "build hello/1.0 for 6.1.0", "install hello/1.0 for 6.1.0",
        "depmod 6.1.0",
      ])
  }

  @Test func whatNothingTouchesIsLeftAlone() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let other = try scene.kernel("6.2.0")
    try scene.module("a", built: [other], installed: [kernel])
    try scene.module("manual", autoinstall: false)
    try scene.module("b", exclusion: "too old")
    #expect(scene.settle().isEmpty)
    #expect(scene.settle().skips.isEmpty)
  }

  // MARK: Transactions without an end

  @Test func whatAnEarlierTransactionLeftOutIsInstalled() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.kernel("6.2.0")
    try scene.module("a", installed: [kernel])
    try scene.module("b", "1.0", .absent)
    #expect(
      scene.settle().reasons == [
        "add b/1.0 from /src/b-1.0: leftUndone",
        "build b/1.0 for 6.1.0: leftUndone", "install b/1.0 for 6.1.0: leftUndone",
        "build a/1.0 for 6.2.0: leftUndone", "install a/1.0 for 6.2.0: leftUndone",
        "build b/1.0 for 6.2.0: leftUndone", "install b/1.0 for 6.2.0: leftUndone",
        "depmod 6.1.0: modulesChange", "depmod 6.2.0: modulesChange",
      ])
  }

  @Test func whatHasFailedIsNotTriedAgainByEveryTransaction() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let failed = try scene.module("failed")
    scene.facts.failedBuilds[failed] = [kernel]
    try scene.kernel("6.2.0", hasHeaders: false)
    try scene.module("waiting", needs: ["nobody"])
    #expect(scene.settle().isEmpty)
    #expect(scene.settle(changed: [failed]).lines.contains("build failed/1.0 for 6.1.0"))
  }

  @Test func whatHasFailedIsTriedAgainWhenTheSuiteItselfChanges() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let unbuilt = try scene.module("unbuilt")
    let uninstalled = try scene.module("uninstalled", built: [kernel])
    try scene.module("laid-aside", built: [kernel])
    let manual = try scene.module("manual", autoinstall: false)
    scene.facts.failedBuilds = [unbuilt: [kernel], manual: [kernel]]
    scene.facts.failedInstallations[uninstalled] = [kernel]
    #expect(scene.settle().isEmpty)
    #expect(
      scene.settle(changesSuite: true).reasons == [
        "build unbuilt/1.0 for 6.1.0: leftUndone", "install unbuilt/1.0 for 6.1.0: leftUndone",
        "install uninstalled/1.0 for 6.1.0: notInstalled", "depmod 6.1.0: modulesChange",
      ])
  }

  @Test func anOlderVersionThatTheAdministratorInstalledStays() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("a", "1.0", installed: [kernel])
    try scene.module("a", "1.1")
    #expect(scene.settle().isEmpty)
  }

  // MARK: Another kernel of the same release

  /// A scene with one kernel for which `a` is installed; the fingerprints differ in their symbols, if given.
  private func scene(built: String?, now: String?) throws -> (Scene, Kernel) {
    let fingerprint = { (symbols: String) in
      KernelFingerprint(owner: nil, symbols: symbols, configuration: "c", compiler: "gcc")
    }
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("a", installed: [kernel])
    scene.facts.tree.modules[0].builds[0].fingerprint = built.map(fingerprint)
    scene.facts.kernels[kernel]?.fingerprint = now.map(fingerprint)
    return (scene, kernel)
  }

  @Test func modulesOfAnotherKernelAreRebuiltWhateverTheTransactionTouched() throws {
    let (scene, _) = try scene(built: "old", now: "new")
    #expect(
      scene.settle().reasons == [
        "build a/1.0 for 6.1.0: kernelChanged", "install a/1.0 for 6.1.0: kernelChanged",
        "depmod 6.1.0: modulesChange",
      ])
  }

  @Test func modulesOfTheSameKernelStayThoughItsPackageIsReinstalled() throws {
    let (scene, kernel) = try scene(built: "same", now: "same")
    let plan = scene.settle(changedKernels: [kernel])
    #expect(plan.isEmpty)
    #expect(plan.skips.map(\.cause) == [.upToDate])
  }

  @Test(arguments: [("old", nil), (nil, "new"), (nil, nil)] as [(String?, String?)])
  func whereThatIsNotKnownOnlyAChangedKernelCounts(_ known: (String?, String?)) throws {
    let (scene, kernel) = try scene(built: known.0, now: known.1)
    #expect(scene.settle().isEmpty)
    #expect(scene.settle(changedKernels: [kernel]).lines.first == "build a/1.0 for 6.1.0")
  }

  // MARK: The running kernel

  @Test func modulesOfTheRunningKernelStayThoughItIsGone() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.2.0")
    let running = try scene.kernel("6.1.0", exists: false, hasHeaders: false)
    try scene.module("a", installed: [kernel, running])
    let plan = scene.settle(goneKernels: [], keptKernels: [running])
    #expect(plan.reasons == ["keep 6.1.0: kernelGone", "depmod 6.1.0: modulesChange"])
  }

  @Test func theVersionThatTheRunningKernelHasStaysWithIt() throws {
    var scene = Scene()
    let new = try scene.kernel("6.2.0")
    let running = try scene.kernel("6.1.0", exists: false, hasHeaders: false)
    let old = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [running])
    let changed = try scene.module("hello", "1.1", .absent)
    let plan = scene.settle(
      changed: [changed], gone: [old], changedKernels: [new], keptKernels: [running])
    #expect(plan.lines.contains("install hello/1.1 for 6.2.0"))
    #expect(plan.lines.contains("relink hello/1.0 to /kept/hello/1.0"))
    #expect(!plan.lines.contains { $0.hasPrefix("un") || $0.hasSuffix("hello/1.1 for 6.1.0") })
  }

  // MARK: Upgrades

  private static let upgradeSteps = [
    "add hello/1.1 from /src/hello-1.1", "build hello/1.1 for 6.1.0", "install hello/1.1 for 6.1.0",
    "relink hello/1.0 to /kept/hello/1.0", "unbuild hello/1.0 for 6.1.0", "unregister hello/1.0",
    "depmod 6.1.0",
  ]

  private func upgrade(from old: String = "1.0", to new: String = "1.1") throws -> Plan {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let gone = try scene.module(
      "hello", old, .broken, hasSource: false, hasKeptSource: true, installed: [kernel])
    let changed = try scene.module("hello", new, .absent)
    return scene.settle(changed: [changed], gone: [gone])
  }

  @Test func oldVersionGoesOnlyWhenTheNewOneStands() throws {
    let plan = try upgrade()
    #expect(plan.lines == Self.upgradeSteps)
    #expect(plan.requires("unbuild hello/1.0 for 6.1.0", "install hello/1.1 for 6.1.0"))
    #expect(plan.requires("unregister hello/1.0", "unbuild hello/1.0 for 6.1.0"))
    #expect(plan.obstacles.isEmpty)
  }

  @Test func oldVersionIsUnderstoodBeforeItGoes() throws {
    let plan = try upgrade()
    #expect(plan.follows("unregister hello/1.0", "relink hello/1.0 to /kept/hello/1.0"))
  }

  @Test func downgradeIsAnUpgradeToAnOlderVersion() throws {
    let plan = try upgrade(from: "1.1", to: "1.0")
    #expect(plan.lines.contains("install hello/1.0 for 6.1.0"))
    #expect(plan.requires("unbuild hello/1.1 for 6.1.0", "install hello/1.0 for 6.1.0"))
    #expect(plan.requires("unregister hello/1.1", "unbuild hello/1.1 for 6.1.0"))
  }

  @Test func kernelsKeepTheOldVersionWhereTheNewOneIsNotForThem() throws {
    var scene = Scene()
    let headless = try scene.kernel("6.1.0", hasHeaders: false)
    let kernel = try scene.kernel("6.2.0")
    let old = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [headless, kernel])
    let new = try scene.module("hello", "1.1", .absent)
    let plan = scene.settle(changed: [new], gone: [old])
    #expect(plan.lines.contains("relink hello/1.0 to /kept/hello/1.0"))
    #expect(plan.requires("unbuild hello/1.0 for 6.2.0", "install hello/1.1 for 6.2.0"))
    #expect(!plan.lines.contains { $0.hasSuffix("hello/1.0 for 6.1.0") })
    #expect(!plan.lines.contains("unregister hello/1.0"))
  }

  @Test func versionThatWasKeptGoesWhenItsSuccessorStands() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("hello", "1.0", .lastGood, hasSource: false, installed: [kernel])
    let new = try scene.module("hello", "1.1")
    let plan = scene.settle(changed: [new])
    #expect(plan.requires("unbuild hello/1.0 for 6.1.0", "install hello/1.1 for 6.1.0"))
    #expect(plan.requires("unregister hello/1.0", "unbuild hello/1.0 for 6.1.0"))
    #expect(!plan.lines.contains { $0.hasPrefix("relink") })
  }

  @Test func versionThatWasKeptStaysAsLongAsNothingTakesItsPlace() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("hello", "1.0", .lastGood, hasSource: false, installed: [kernel])
    try scene.module("hello", "1.1")
    #expect(scene.settle().isEmpty)
  }

  @Test func versionThatWasKeptIsNotForNewKernels() throws {
    var scene = Scene()
    let old = try scene.kernel("6.1.0")
    let new = try scene.kernel("6.2.0")
    try scene.module("hello", "1.0")
    try scene.module("hello", "2.0", .lastGood, hasSource: false, installed: [old])
    let plan = scene.settle(changedKernels: [new])
    #expect(plan.lines == ["build hello/1.0 for 6.2.0", "install hello/1.0 for 6.2.0", "depmod 6.2.0"])
  }

  // MARK: Successors of another name

  @Test func aModuleStaysUntilTheSameOneOfAnotherNameStands() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let old = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [kernel], files: ["hello"])
    try scene.module("alien", "1.0", .absent, files: ["alien"])
    let fork = try scene.module("fork", "7", .absent, files: ["extra", "hello"])
    let plan = scene.settle(changed: [fork], gone: [old])
    #expect(plan.lines.contains("relink hello/1.0 to /kept/hello/1.0"))
    #expect(plan.requires("uninstall hello/1.0 for 6.1.0", "install fork/7 for 6.1.0"))
    #expect(plan.requires("unbuild hello/1.0 for 6.1.0", "uninstall hello/1.0 for 6.1.0"))
    #expect(plan.requires("unregister hello/1.0", "unbuild hello/1.0 for 6.1.0"))
  }

  @Test func aModuleThatWasKeptForOneOfAnotherNameStaysAsLong() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let old = try scene.module(
      "hello", "1.0", .lastGood, hasSource: false, installed: [kernel], files: ["hello"])
    let fork = try scene.module("fork", "7", files: ["hello"])
    scene.facts.failedBuilds[fork] = [kernel]
    #expect(scene.settle().isEmpty)
    #expect(scene.settle().skips == [Skip(old, kernel, .lastGood)])
    // Somebody has installed the other one by hand.
    scene.facts.tree.modules[1].builds = [BuildRecord(kernel: kernel, isInstalled: true)]
    #expect(
      scene.settle().lines == [
        "uninstall hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.1.0", "unregister hello/1.0",
        "depmod 6.1.0",
      ])
  }

  @Test func aModuleThatWasThereBeforeTakesNoPlace() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let gone = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [kernel], files: ["hello"])
    try scene.module("fork", "7", autoinstall: false, files: ["hello"])
    #expect(
      scene.settle(gone: [gone]).lines == [
        "uninstall hello/1.0 for 6.1.0", "unbuild hello/1.0 for 6.1.0", "unregister hello/1.0",
        "depmod 6.1.0",
      ])
  }

  // MARK: Sources that come back

  @Test func sourceThatComesBackIsLinkedAgain() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .broken, installed: [kernel])
    let plan = scene.settle(changed: [id])
    #expect(
      plan.lines == [
        "relink hello/1.0 to /src/hello-1.0", "build hello/1.0 for 6.1.0", "install hello/1.0 for 6.1.0",
        "depmod 6.1.0",
      ])
  }

  @Test func copyOfASourceThatIsThereIsDiscarded() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", hasKeptSource: true, installed: [kernel])
    #expect(scene.settle(changed: [id]).lines.contains("discard the kept source of hello/1.0"))
  }

  @Test func copyOfALastGoodSourceThatComesBackIsDiscarded() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let id = try scene.module("hello", "1.0", .lastGood, installed: [kernel])
    let plan = scene.settle(changed: [id])
    #expect(plan.lines.contains("relink hello/1.0 to /src/hello-1.0"))
    #expect(plan.lines.contains("discard the kept source of hello/1.0"))
    #expect(
      plan.requires("discard the kept source of hello/1.0", "relink hello/1.0 to /src/hello-1.0"))
  }

  // MARK: Dependents

  @Test func moduleThatAsksForItIsRebuiltWithWhatItNeeds() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("asking", installed: [kernel], needs: ["base"], rebuilds: true)
    let base = try scene.module("base", installed: [kernel])
    try scene.module("silent", installed: [kernel], needs: ["base"])
    try scene.module("stranger", needs: ["other"], rebuilds: true)
    let plan = scene.settle(changed: [base])
    #expect(plan.reasons.contains("build asking/1.0 for 6.1.0: dependencyChanged(base/1.0)"))
    #expect(plan.requires("build asking/1.0 for 6.1.0", "install base/1.0 for 6.1.0"))
    #expect(!plan.lines.contains { $0.contains("silent") || $0.contains("stranger") })
    #expect(plan.lines.count { $0.hasPrefix("depmod") } == 1)
  }

  @Test func moduleThatLackedWhatItNeedsIsInstalled() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let base = try scene.module("base", "1.0", .absent)
    try scene.module("waiting", needs: ["base"])
    let plan = scene.settle(changed: [base])
    #expect(plan.requires("build waiting/1.0 for 6.1.0", "install base/1.0 for 6.1.0"))
    #expect(plan.lines.contains("install waiting/1.0 for 6.1.0"))
  }

  // MARK: Removal

  @Test func olderVersionTakesThePlaceOfOneThatGoes() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    try scene.module("hello", "1.0")
    let gone = try scene.module(
      "hello", "1.1", .broken, hasSource: false, hasKeptSource: true, installed: [kernel])
    let plan = scene.settle(gone: [gone])
    #expect(plan.lines.contains("install hello/1.0 for 6.1.0"))
    #expect(plan.requires("unbuild hello/1.1 for 6.1.0", "install hello/1.0 for 6.1.0"))
  }

  @Test func versionWhoseSuccessorIsNotForTheKernelStays() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let old = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [kernel])
    let new = try scene.module("hello", "1.1", .absent, exclusion: "too old")
    let plan = scene.settle(changed: [new], gone: [old])
    #expect(plan.obstacles == [.excluded(new, kernel, reason: "too old")])
    #expect(plan.skips.contains(Skip(old, kernel, .lastGood)))
    #expect(!plan.lines.contains { $0.hasSuffix("hello/1.0 for 6.1.0") || $0 == "unregister hello/1.0" })
  }

  @Test func moduleThatGoesWithoutASuccessorIsRemovedEverywhere() throws {
    var scene = Scene()
    let kernels = [try scene.kernel("6.1.0"), try scene.kernel("6.2.0")]
    let id = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, built: [kernels[1]],
      installed: [kernels[0]])
    let plan = scene.settle(gone: [id])
    #expect(
      plan.reasons == [
        "uninstall hello/1.0 for 6.1.0: sourceGone", "unbuild hello/1.0 for 6.1.0: sourceGone",
        "unbuild hello/1.0 for 6.2.0: sourceGone", "unregister hello/1.0: sourceGone",
        "depmod 6.1.0: modulesChange",
      ])
    for step in plan.lines[0..<3] { #expect(plan.requires("unregister hello/1.0", step)) }
  }

  @Test func goneKernelTakesItsBuildsAlong() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let gone = try scene.kernel("6.2.0", exists: false, hasHeaders: false)
    try scene.module("a", installed: [kernel, gone])
    try scene.module("b", built: [gone], autoinstall: false)
    let plan = scene.settle(goneKernels: [gone])
    #expect(
      plan.reasons == [
        "uninstall a/1.0 for 6.2.0: kernelGone", "unbuild a/1.0 for 6.2.0: kernelGone",
        "unbuild b/1.0 for 6.2.0: kernelGone", "depmod 6.2.0: kernelGone",
      ])
    #expect(plan.requires("unbuild a/1.0 for 6.2.0", "uninstall a/1.0 for 6.2.0"))
  }

  @Test func upgradeOfKernelAndModuleAtOnce() throws {
    var scene = Scene()
    let new = try scene.kernel("6.2.0")
    let gone = try scene.kernel("6.1.0", exists: false, hasHeaders: false)
    let old = try scene.module(
      "hello", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [gone])
    let changed = try scene.module("hello", "1.1", .absent)
    let plan = scene.settle(changed: [changed], gone: [old], changedKernels: [new], goneKernels: [gone])
    #expect(plan.lines.contains("install hello/1.1 for 6.2.0"))
    #expect(!plan.lines.contains("build hello/1.1 for 6.1.0"))
    #expect(plan.lines.contains("unbuild hello/1.0 for 6.1.0"))
    #expect(plan.lines.contains("unregister hello/1.0"))
    #expect(plan.lines.filter { $0.hasPrefix("depmod") }.sorted() == ["depmod 6.1.0", "depmod 6.2.0"])
  }

  @Test func depmodRunsOnceAKernelAfterEverythingElse() throws {
    var scene = Scene()
    let kernel = try scene.kernel("6.1.0")
    let gone = try scene.module(
      "gone", "1.0", .broken, hasSource: false, hasKeptSource: true, installed: [kernel])
    let changed = [try scene.module("a", installed: [kernel]), try scene.module("b", "1.0", .absent)]
    let plan = scene.settle(changed: changed, gone: [gone])
    #expect(plan.lines.count { $0.hasPrefix("depmod") } == 1)
    for step in ["install a/1.0 for 6.1.0", "install b/1.0 for 6.1.0", "uninstall gone/1.0 for 6.1.0"] {
      #expect(plan.follows("depmod 6.1.0", step))
    }
  }

  @Test func failureToBuildIsNoReasonToStopTheRest() throws {
    var scene = Scene()
    try scene.kernel("6.1.0")
    let bad = try scene.module(
      "bad", "1.0", .absent,
      unreadable: .configurationUnreadable(path: "/src/bad-1.0/dkms.conf", detail: "no"))
    let good = try scene.module("good", "1.0", .absent)
    let plan = scene.settle(changed: [bad, good])
    #expect(plan.lines.contains("install good/1.0 for 6.1.0"))
    #expect(!plan.lines.contains { $0.hasPrefix("build bad") })
    #expect(plan.obstacles == [.configurationUnreadable(path: "/src/bad-1.0/dkms.conf", detail: "no")])
  }
}
