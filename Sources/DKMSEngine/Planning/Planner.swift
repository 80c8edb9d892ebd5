// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// Makes plans from facts, without a look at the machine.
public struct Planner {
  let facts: Facts
  let isForced: Bool
  let skipsDepmod: Bool
  private let overrulesKernel: (String) -> Bool
  private let probesModules: Bool
  private let postTransaction: KernelText?
  var plan = Plan()

  var adds: [ModuleID: Readiness] = [:]
  var builds: [Target: Readiness] = [:]
  private var installs: [Target: Readiness] = [:]
  private var inProgress: Set<Target> = []
  private var keySteps: [KeyPair: Int] = [:]
  /// What this plan does for the kernel at hand, so that a module that depends on another one waits for it.
  var goals: [String: Goal] = [:]
  private var moduleChanges: [KernelRelease: [Int]] = [:]

  /// A module version for a kernel.
  struct Target: Hashable {
    let id: ModuleID
    let kernel: Kernel
  }

  /// A module that is to be installed.
  struct Goal {
    let id: ModuleID
    let reason: Reason
    /// Whether it is rebuilt and reinstalled even if it is up to date.
    let redo: Bool
  }

  /// Whether later steps may count on something.
  enum Readiness: Hashable {
    /// It stands.
    case stands
    /// This step will bring it about.
    case planned(Int)
    /// It cannot be had; the plan says why.
    case blocked

    var required: [Int] { if case .planned(let step) = self { [step] } else { [] } }
  }

  /// Makes a planner.
  ///
  /// - Parameters:
  ///   - facts: What the plans are made from.
  ///   - options: Whether it is forced, and whether depmod is left to the caller.
  public init(_ facts: Facts, options: BuildOptions) {
    self.facts = facts
    isForced = options.isForced
    skipsDepmod = options.skipsDepmod
    overrulesKernel = { name in
      options.isForced || options.overridesVersions || options.forcedModules.includes(name)
    }
    probesModules = options.probesModules
    postTransaction = options.postTransaction
    if let origin = facts.origin { bring(origin) }
  }

  // MARK: Bringing things about

  /// Registers a module, or points its `source` link to where the source is now.
  @discardableResult
  mutating func add(_ id: ModuleID, because reason: Reason) -> Readiness {
    if let known = adds[id] { return known }
    adds[id] = .stands
    if let record = facts.tree[id] {
      guard let source = facts.sources[id], record.isBroken || record.usesKeptSource else {
        if let error = obstacles.registration(of: id) { block(id, nil, error) }
        adds[id] = record.isBroken ? .blocked : .stands
        return adds[id] ?? .blocked
      }
      adds[id] = .planned(plan.append(.relink(id, source: source), because: reason))
    } else if let source = facts.sources[id] {
      if let error = obstacles.trust(in: id) ?? configurationError(id) {
        block(id, nil, error)
        adds[id] = .blocked
      } else {
        adds[id] = .planned(plan.append(.add(id, source: source), because: reason))
      }
    } else {
      block(id, nil, .sourceMissing(id, directory: "\(facts.sourceTree)/\(id.sourceDirectoryName)"))
      adds[id] = .blocked
    }
    return adds[id] ?? .blocked
  }

  /// What is wrong with a configuration for every kernel that was asked about.
  func configurationError(_ id: ModuleID) -> DKMSError? {
    let known = facts.configurations[id]?.sorted { $0.key.description < $1.key.description } ?? []
    let errors = known.compactMap(\.value.error)
    return errors.count == known.count ? errors.first : nil
  }

  /// Builds a module; `rebuild` replaces what is built already.
  @discardableResult
  mutating func build(_ id: ModuleID, _ kernel: Kernel, because reason: Reason, rebuild: Bool) -> Readiness {
    let target = Target(id: id, kernel: kernel)
    if let known = builds[target] { return known }
    if !rebuild, facts.tree[id]?.build(for: kernel) != nil {
      builds[target] = .stands
      return .stands
    }
    builds[target] = .blocked
    guard let configuration = usableConfiguration(target, because: reason) else { return .blocked }
    let added = add(id, because: reason)
    guard added != .blocked else { return .blocked }
    inProgress.insert(target)
    defer { inProgress.remove(target) }
    guard let dependencies = dependencies(of: target, configuration) else { return .blocked }
    let keys = keys(for: kernel)
    let step = plan.append(
      .build(id, kernel), because: reason, requires: added.required + dependencies + keys,
      basis: basis(of: target))
    builds[target] = .planned(step)
    return .planned(step)
  }

  /// The step that makes the keys for a kernel's modules, if they do not exist yet.
  ///
  /// Whether a module may go without a signature is for its build to say.
  private mutating func keys(for kernel: Kernel) -> [Int] {
    guard let signing = facts.kernels[kernel]?.signing, signing.isWanted, signing.state.mayBeMade else {
      return []
    }
    let step =
      keySteps[signing.keys] ?? plan.append(.makeKeys(signing.keys), because: .signing, isOptional: true)
    keySteps[signing.keys] = step
    return [step]
  }

  /// Installs a module; `reinstall` installs what is installed already.
  @discardableResult
  mutating func install(
    _ id: ModuleID, _ kernel: Kernel, because reason: Reason, reinstall: Bool, rebuild: Bool
  ) -> Readiness {
    let target = Target(id: id, kernel: kernel)
    if let known = installs[target] { return known }
    if !reinstall, let build = facts.tree[id]?.build(for: kernel), build.isInstalled, build.isSound {
      plan.skip(Skip(id, kernel, .upToDate))
      installs[target] = .stands
      return .stands
    }
    installs[target] = .blocked
    let built = build(id, kernel, because: reason, rebuild: rebuild)
    guard built != .blocked else { return .blocked }
    if built == .stands, let error = obstacles.trust(in: id) {
      block(id, kernel, error)
      return .blocked
    }
    if let known = facts.kernels[kernel], !known.exists {
      block(id, kernel, .kernelMissing(kernel.release, directory: known.directory))
      return .blocked
    }
    let overrules = overrulesKernel(id.name)
    if built == .stands, let error = obstacles.kernelsOwn(insteadOf: id, for: kernel, overrules: overrules) {
      block(id, kernel, error)
      return .blocked
    }
    var basis = basis(of: target)
    basis.overrulesKernel = overrules
    basis.competitions = (facts.competitions[id]?[kernel] ?? []).map { competition in
      // What is built anew may be another version.
      built == .stands
        ? competition : Competition(name: competition.name, built: nil, rivals: competition.rivals)
    }
    let step = plan.append(
      .install(id, kernel), because: reason, requires: built.required, basis: basis)
    moduleChanges[kernel.release, default: []].append(step)
    installs[target] = .planned(step)
    rebuildDependents(of: id, kernel, after: step)
    return .planned(step)
  }

  /// What the steps for a module and a kernel are planned from.
  func basis(of target: Target) -> Basis {
    Basis(
      configuration: facts.configurations[target.id]?[target.kernel],
      configurationFiles: facts.configurationFiles[target.id]?[target.kernel],
      fingerprint: facts.kernels[target.kernel]?.fingerprint,
      buildsInSource: facts.builtInSource.contains(target.id))
  }

  /// Rebuilds modules that were built with another version of this one and say that this matters.
  private mutating func rebuildDependents(of id: ModuleID, _ kernel: Kernel, after step: Int) {
    if isForced { return }
    for record in facts.tree.modules where record.id.name != id.name && !record.isBroken {
      guard let build = record.build(for: kernel), build.dependencyVersions[id.name] != id.version,
        case .read(let configuration)? = facts.configurations[record.id]?[kernel],
        configuration.rebuildsWithDependencies, configuration.buildDepends.contains(id.name)
      else { continue }
      let reason = Reason.dependencyChanged(id)
      if build.isInstalled {
        install(record.id, kernel, because: reason, reinstall: true, rebuild: true)
      } else {
        self.build(record.id, kernel, because: reason, rebuild: true)
      }
    }
  }

  /// Notes that a step other than a build and an installation has the effect of both.
  mutating func haveInstalled(_ target: Target, by step: Int) {
    builds[target] = .planned(step)
    installs[target] = .planned(step)
  }

  /// Whether this plan installs a module for a kernel; blocked if it does not try to.
  func installed(_ id: ModuleID, _ kernel: Kernel) -> Readiness {
    installs[Target(id: id, kernel: kernel)] ?? .blocked
  }

  // MARK: Undoing

  /// Takes a module out of a kernel's directory, once these steps have succeeded; returns the steps to wait
  /// for.
  mutating func uninstall(
    _ id: ModuleID, _ kernel: Kernel, because reason: Reason, requires required: [Int] = []
  ) -> [Int] {
    guard facts.tree[id]?.build(for: kernel)?.isInstalled == true else { return required }
    var basis = basis(of: Target(id: id, kernel: kernel))
    // What cannot be trusted is taken out all the same, without its script.
    if let error = obstacles.trust(in: id), case .read(var configuration)? = basis.configuration,
      configuration.scripts.removeValue(forKey: .postRemove) != nil
    {
      basis.configuration = .read(configuration)
      block(id, kernel, error)
    }
    let step = plan.append(.uninstall(id, kernel), because: reason, requires: required, basis: basis)
    moduleChanges[kernel.release, default: []].append(step)
    return [step]
  }

  /// Forgets what was built for a kernel, once these steps have succeeded; returns the steps to wait for.
  mutating func unbuild(
    _ id: ModuleID, _ kernel: Kernel, because reason: Reason, requires required: [Int]
  ) -> [Int] {
    guard facts.tree[id]?.build(for: kernel) != nil else { return required }
    return [plan.append(.unbuild(id, kernel), because: reason, requires: required)]
  }

  /// Leaves a kernel's modules in place, and writes modules.dep again so that modprobe finds them.
  mutating func keep(_ kernel: Kernel) {
    let step = plan.append(.keep(kernel.release), because: .kernelGone)
    moduleChanges[kernel.release, default: []].append(step)
  }

  /// Adds the steps that follow a change of kernels' modules: once for each kernel, after everything else.
  ///
  /// - Parameters:
  ///   - goneKernels: The kernels that are gone.
  ///   - named: What may be taken away even if nothing takes its place.
  /// - Returns: The plan; one that does nothing where it would take away anything else.
  mutating func finish(goneKernels: [Kernel] = [], named: SafetyCatch.Named = .init()) -> Plan {
    let gone = Set(goneKernels.map(\.release))
    let changes = moduleChanges.sorted { $0.value[0] < $1.value[0] }
    for (release, steps) in changes {
      var earlier = steps
      if !skipsDepmod {
        let reason: Reason = gone.contains(release) ? .kernelGone : .modulesChange
        earlier = [plan.append(.depmod(release), because: reason, after: steps)]
      }
      if probesModules, release.description == facts.runningRelease {
        plan.append(.load(release), because: .modulesChange, after: earlier)
      }
    }
    // A run that was killed before depmod left these.
    let stale = Set(facts.kernels.filter(\.value.hasStaleDependencies).map(\.key.release))
    for release in stale.sorted(by: { $0.description < $1.description })
    where !skipsDepmod && moduleChanges[release] == nil {
      plan.append(.depmod(release), because: .modulesChange)
    }
    if let postTransaction { follow(changes.map(\.key), with: postTransaction) }
    groundAdditions()
    return SafetyCatch(facts, named: named).checked(plan)
  }

  /// A module is added according to its dkms.conf for the first kernel that the plan builds it for, or, if
  /// there is none, for the first kernel that the dkms.conf was read for.
  private mutating func groundAdditions() {
    for case .add(let id, _) in plan.steps.map(\.step) {
      let known = facts.configurations[id] ?? [:]
      let first = plan.firstKernel(of: id).flatMap { known[$0] == nil ? nil : $0 }
      guard let kernel = first ?? known.keys.min(by: { $0.description < $1.description }) else { continue }
      plan.ground(additionOf: id, on: basis(of: Target(id: id, kernel: kernel)))
    }
  }

  /// Runs the administrator's command last: once, or once for each kernel, in turn, if it names the kernel.
  private mutating func follow(_ releases: [KernelRelease], with command: KernelText) {
    var known: Set<String> = []
    for text in releases.map({ command.value(for: $0.description) }) where known.insert(text).inserted {
      plan.append(.follow(command: text), because: .modulesChange, after: Array(plan.steps.indices))
    }
  }

  // MARK: Obstacles

  mutating func block(_ id: ModuleID, _ kernel: Kernel?, _ error: DKMSError) {
    plan.skip(Skip(id, kernel, .obstacle(error)))
  }

  private mutating func usableConfiguration(_ target: Target, because reason: Reason) -> ModuleConfiguration?
  {
    let (id, kernel) = (target.id, target.kernel)
    // Problems with the registration come first. A module is also registered if it is not for this kernel, so
    // that the next kernel can have it.
    guard add(id, because: reason) != .blocked else { return nil }
    if let error = obstacles.building(id, for: kernel) {
      block(id, kernel, error)
      return nil
    }
    return facts.configurations[id]?[kernel]?.configuration
  }

  var obstacles: Obstacles { Obstacles(facts, isForced: isForced) }

  /// The steps that install what a module needs; nil where something cannot be had.
  private mutating func dependencies(of target: Target, _ configuration: ModuleConfiguration) -> [Int]? {
    var steps: [Int] = []
    var missing: [String] = []
    for name in configuration.buildDepends {
      switch dependency(name, of: target) {
      case .stands: continue
      case .planned(let step): steps.append(step)
      case .blocked: missing.append(name)
      }
    }
    if missing.isEmpty || isForced { return steps }
    block(target.id, target.kernel, facts.dependenciesMissing(missing, of: target.id, target.kernel))
    return nil
  }

  private mutating func dependency(_ name: String, of target: Target) -> Readiness {
    // The newest of several, so that the plan does not depend on the order of a dictionary.
    let planned = installs.filter { $0.key.id.name == name && $0.key.kernel == target.kernel }
      .max { VersionOrder($0.key.id.version) < VersionOrder($1.key.id.version) }
    if let planned { return planned.value }
    if let goal = goals[name] {
      let isWaitingForThis = inProgress.contains(Target(id: goal.id, kernel: target.kernel))
      if isWaitingForThis { return .blocked }
      return install(
        goal.id, target.kernel, because: goal.reason, reinstall: goal.redo, rebuild: goal.redo)
    }
    return facts.tree.installedVersion(of: name, for: target.kernel) == nil ? .blocked : .stands
  }
}
