// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Inspection

/// After a transaction: builds and installs what is new or changed, and removes what is gone.
package struct InstallHook: Hook {
  package static let kind = HelperKind.install

  private let targets: [HookTarget]
  private let allowsAutoinstall: Bool
  private let configuration: SuiteConfiguration
  /// Nothing of it is read before killed runs have been recovered from.
  private let snapshot: Snapshot

  private var layout: Layout { snapshot.layout }
  private var host: Host { snapshot.host }

  package init(_ call: HookCall, layout: Layout, host: Host) async throws(DKMSError) {
    targets = call.targets
    // The verdict reports what is wrong with the file of this suite.
    let settings = try await Settings.read(over: layout, host: host)
    let framework = settings.framework
    configuration = settings.suite
    allowsAutoinstall = framework.allowsAutoinstall
    var options = framework.options
    options.silenceLimit = configuration.silenceLimit
    snapshot = Snapshot(host: host, layout: framework.layout, options: options)
  }

  package func recover() throws(DKMSError) -> Bool {
    try onFiles { () throws(HostError) in
      try LeftoverSweeper(layout).forgetFailuresOfGoneKernels()
      try LeftoverSweeper(layout).sweep()
    }
    return true
  }

  package func look() async throws(DKMSError) -> ModuleFacts {
    // libalpm confirms what something is done for; to open it takes longer than to see that there is nothing to do.
    let facts = try await look(Database(root: layout.root, asksLibrary: false))
    return facts.areIdle ? facts : try await look(Database(root: layout.root))
  }

  private func look(_ database: borrowing Database) async throws(DKMSError) -> ModuleFacts {
    var findings: TransactionReader.Findings
    do throws(HostError) {
      findings = try await TransactionReader(snapshot).findings(targets, database)
    } catch {
      throw DKMSError(error)
    }
    findings.transaction.leaveAlone { configuration.ignores($0.release) }
    let reader = FactsReader(snapshot, kernelOwners: findings.kernelOwners)
    var facts = try await reader.facts(
      FactsReader.Request(
        modules: findings.concernedModules, kernels: findings.transaction.installedKernels,
        clearedKernels: findings.transaction.goneKernels, sources: findings.sources))
    do throws(HostError) {
      facts.unrecorded = try await UnrecordedInstallations(snapshot, facts)
        .all(of: findings.concernedModules, database)
    } catch { throw DKMSError(error) }
    var moduleFacts = ModuleFacts(
      transaction: findings.transaction,
      options: PlanningOptions(snapshot.options, installs: allowsAutoinstall), facts: facts,
      errors: findings.errors,
      warnings: findings.warnings, doubts: findings.doubts,
      orphans: findings.orphans,
      databaseProblem: database.problem.map { "every kernel directory counts as installed: \($0)" })
    moduleFacts.facts.trust = try reader.trust(for: moduleFacts.plan, in: facts)
    return moduleFacts
  }

  package static func plan(_ facts: ModuleFacts) -> Plan { facts.plan }

  package func carryOut(_ plan: Plan, from facts: ModuleFacts) async throws(DKMSError) -> HookEnding {
    let narrator = Narrator(host.console)
    if let problem = facts.databaseProblem { narrator.warn(problem) }
    narrator.warn(of: facts.facts.trust)
    report(facts.orphans, narrator)
    if !facts.options.installs {
      narrator.warn("nothing is built: \(layout.configurationDirectory)/no-autoinstall forbids it")
    }
    plan.skips.forEach(narrator.skipped)
    if let line = plan.leftToTheUser(facts) { host.console.print("  -> \(line)") }
    let report = try await Executor(snapshot).execute(plan, observe: narrator.ended)
    try onFiles { () throws(HostError) in
      try LeftoverSweeper(layout).sweepBootRecords(of: host.bootIdentifier)
    }
    return HookEnding(isWell: conclude(report, facts, narrator), outcomes: report.outcomes)
  }

  /// Says once which kernels nobody owns, and again only when others join or leave them.
  private func report(_ orphans: [KernelRelease], _ narrator: Narrator) {
    let names = orphans.map(\.description).joined(separator: ", ")
    guard names != (try? Files.text(layout.reportedOrphans)) ?? "" else { return }
    if !orphans.isEmpty {
      narrator.warn("no package owns these kernels, so nothing is built for them: \(names)")
    }
    // If it cannot be noted, it is merely said again next time.
    try? Files.makeDirectories(layout.stateDirectory)
    try? Files.write(Array("\(names)\n".utf8), to: layout.reportedOrphans)
  }

  private func conclude(_ report: Report, _ facts: ModuleFacts, _ narrator: Narrator) -> Bool {
    facts.warnings.forEach(narrator.warn)
    for doubt in facts.doubts {
      narrator.warn("\(doubt)")
      doubt.remedy.map(narrator.advise)
    }
    narrator.conclude(report, excusing: \.isSkip)
    for (error, modules) in report.plan.modulesWithoutHeaders {
      narrator.warn("\(error); not built: \(modules.map(\.description).joined(separator: ", "))")
      if let remedy = error.remedy { narrator.advise(remedy) }
    }
    // A kernel without headers, or one that a module is not for, is no failure of this transaction.
    let errors =
      facts.errors
      + report.plan.obstacles.filter { !$0.isSkip && $0.exitStatus != .headersMissing }
    for error in errors { narrator.fail(error) }
    for (id, kernel) in report.lastGood(facts.facts.tree) {
      narrator.warn("\(id) stays installed for \(kernel.release)")
    }
    return errors.isEmpty && report.failures.allSatisfy(\.isSkip)
  }
}

extension Report {
  /// Modules that stay because their successors could not be installed.
  fileprivate func lastGood(_ before: TreeState) -> [(ModuleID, Kernel)] {
    let withoutSuccessor = plan.skips.compactMap { skip in
      skip.cause == .lastGood ? skip.kernel.map { (skip.id, $0) } : nil
    }
    let withFailedSuccessor = zip(plan.steps, outcomes).compactMap {
      planned, outcome -> (ModuleID, Kernel)? in
      switch planned.step {
      case .unbuild(let id, let kernel) where outcome == .notTried: return (id, kernel)
      case .install(let id, let kernel) where !outcome.isDone:
        // Built from an older source of the same version.
        return before[id]?.build(for: kernel)?.isInstalled == true ? (id, kernel) : nil
      default: return nil
      }
    }
    return withoutSuccessor + withFailedSuccessor
  }
}

extension ModuleFacts {
  /// Whether a kernel lacks a module that it could have, or has one that is out of date.
  fileprivate func isDue(_ id: ModuleID, for kernel: Kernel) -> Bool {
    if facts.configurations[id]?[kernel]?.configuration?.exclusion != nil { return false }
    if let found = facts.unrecorded[id]?[kernel], found.refusal(as: id, for: kernel) == nil { return false }
    guard let build = facts.tree[id]?.build(for: kernel), build.isInstalled else { return true }
    return transaction.changedModules.contains(id) || facts.isForAnotherKernel(build) != false
  }
}

extension Plan {
  /// What is due and not built, because nobody asked for that by AUTOINSTALL; nil where there is no such thing.
  fileprivate func leftToTheUser(_ facts: ModuleFacts) -> String? {
    var modules: [(id: ModuleID, kernels: [String])] = []
    for skip in skips where skip.cause == .notAutoinstalled {
      guard let kernel = skip.kernel, facts.isDue(skip.id, for: kernel) else { continue }
      if let index = modules.firstIndex(where: { $0.id == skip.id }) {
        modules[index].kernels.append("\(kernel.release)")
      } else {
        modules.append((skip.id, ["\(kernel.release)"]))
      }
    }
    guard !modules.isEmpty else { return nil }
    let names = modules.map { "\($0.id) for \($0.kernels.joined(separator: ", "))" }
    return "not built, since their dkms.conf does not set AUTOINSTALL: \(names.joined(separator: "; "))"
  }

  /// For each kernel without headers, what is not built for it, in the order of the plan.
  fileprivate var modulesWithoutHeaders: [(error: DKMSError, modules: [ModuleID])] {
    var groups: [(error: DKMSError, modules: [ModuleID])] = []
    for skip in skips {
      guard let error = skip.obstacle, error.exitStatus == .headersMissing else { continue }
      if let index = groups.firstIndex(where: { $0.error == error }) {
        groups[index].modules.append(skip.id)
      } else {
        groups.append((error, [skip.id]))
      }
    }
    return groups
  }
}
