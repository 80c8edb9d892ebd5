// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import TestSupport

/// Values of the model, of every kind, at random but the same ones each time.
struct RandomValues {
  private var numbers: SeededNumbers

  init(_ seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  mutating func below(_ count: Int) -> Int { numbers.below(count) }

  mutating func bool() -> Bool { below(2) == 0 }

  mutating func text() -> String {
    let pieces = ["a", "B9", "_", "\n", "\"", "\\", "é", "🐧", " ", "$x", "\u{1}", "/"]
    return (0..<below(8)).map { _ in pieces[below(pieces.count)] }.joined()
  }

  mutating func name() -> String { ["a", "zfs", "v4l2-loopback", "it87_é", "b.c"][below(5)] }

  mutating func id() throws -> ModuleID { try ModuleID(name: name(), version: "\(below(9)).\(name())") }

  mutating func kernel() throws -> Kernel {
    try Kernel(
      release: KernelRelease("6.\(below(20))-\(name())"), architecture: ["x86_64", "aarch64"][below(2)])
  }

  mutating func optional<Value>(_ value: Value) -> Value? { bool() ? value : nil }

  mutating func error() throws -> DKMSError {
    let pair = KeyPair(key: text(), certificate: text())
    switch below(12) {
    case 0: return .invalidName(.kernelRelease, value: text(), problem: text())
    case 1: return .headersMissing(try kernel(), directory: text(), package: optional(text()))
    case 2: return .buildFailed(try id(), try kernel(), firstError: optional(text()), log: text())
    case 3: return .buildSilent(try id(), try kernel(), limit: .seconds(below(4000)), log: text())
    case 4:
      return .scriptFailed(try id(), script: .postAdd, status: Int32(below(300)) - 20, log: optional(text()))
    case 5: return .notBuilt(try id(), optional(try kernel()))
    case 6: return .dependenciesMissing(try id(), try kernel(), names: [text(), text()])
    case 7: return .notSigned(try id(), try kernel(), .programFailed(path: text(), detail: text()))
    case 8: return .keysUnavailable(.keyMissing(pair))
    case 9:
      let change = Overtaking.allCases[below(Overtaking.allCases.count)]
      return .overtaken(try id(), optional(try kernel()), change, by: optional(text()))
    case 10: return .buildStopped(try id(), try kernel(), .memory(below(4000)), log: text())
    default: return .system(operation: text(), subject: text(), reason: text())
    }
  }

  mutating func plan() throws -> Plan {
    var plan = Plan()
    for _ in 0..<below(12) {
      let (id, kernel) = (try id(), try kernel())
      let steps: [Step] = [
        .add(id, source: text()), .relink(id, source: text()),
        .makeKeys(KeyPair(key: text(), certificate: "")),
        .build(id, kernel), .copySource(id, from: text(), replaces: bool()),
        .makeTarball(id, [kernel], .sourceOnly, file: text()), .install(id, kernel), .uninstall(id, kernel),
        .unbuild(id, kernel), .unregister(id), .depmod(kernel.release), .keep(kernel.release),
        .follow(command: text()),
      ]
      let reasons: [Reason] = [
        .requested, .sourceChanged, .dependencyChanged(id), .replaced(by: id), .kernelGone, .signing,
      ]
      let earlier = plan.steps.indices.filter { _ in below(3) == 0 }
      plan.append(
        steps[below(steps.count)], because: reasons[below(reasons.count)], requires: earlier,
        after: earlier.reversed(), isOptional: bool())
    }
    for _ in 0..<below(4) {
      let causes: [Skip.Cause] = [.upToDate, .lastGood, .obstacle(try error())]
      plan.skip(Skip(try id(), optional(try kernel()), causes[below(3)]))
    }
    return plan
  }

  mutating func configuration() throws -> ConfigurationFact {
    if bool() { return .unreadable(try error()) }
    return .read(
      ModuleConfiguration(
        id: try id(),
        modules: [
          ModuleFile(
            builtName: text(), builtLocation: text(), destinationName: text(), destinationLocation: text(),
            isStripped: bool())
        ], makeCommand: text(), patches: [text()], scripts: [.postBuild: text(), .preInstall: text()],
        autoinstall: bool(), buildDepends: [text()], rebuildsWithDependencies: bool(),
        exclusion: optional(text()), deprecated: [text()]))
  }

  mutating func facts() throws -> Facts {
    var facts = Facts(runningRelease: text(), sourceTree: text())
    for _ in 0..<below(5) {
      let (id, kernel) = (try id(), try kernel())
      let fingerprint = KernelFingerprint(
        owner: optional(text()), symbols: text(), configuration: text(), compiler: text())
      facts.tree.modules.append(
        ModuleRecord(
          id: id, source: optional(text()), isBroken: bool(), usesKeptSource: bool(), holdsOnlyBuilds: bool(),
          builds: [
            BuildRecord(
              kernel: kernel, isInstalled: bool(), isSound: bool(), dependencyVersions: [text(): text()],
              fingerprint: optional(fingerprint))
          ]))
      facts.sources[id] = text()
      facts.keptSources[try self.id()] = text()
      facts.productNames[id] = [text(), text(), text()]
      facts.failedBuilds[id] = [kernel, try self.kernel(), try self.kernel()]
      facts.configurations[id] = [kernel: try configuration()]
      facts.configurations[id]?[try self.kernel()] = try configuration()
      facts.kernels[kernel] = KernelFacts(
        directory: text(), exists: bool(), headersDirectory: text(), hasHeaders: bool(),
        headersPackage: optional(text()), hasStaleDependencies: bool(), fingerprint: optional(fingerprint),
        signing: SigningFacts(
          isWanted: bool(), keys: KeyPair(key: text(), certificate: text()), state: .withoutKey),
        toolchainError: optional(try error()))
    }
    if bool() { facts.origin = ModuleOrigin(try id(), directory: text(), builds: [try kernel(): text()]) }
    return facts
  }
}
