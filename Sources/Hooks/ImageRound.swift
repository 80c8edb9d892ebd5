// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import SystemPackage

/// One look at the images of a system: facts, plan, and what comes of it.
struct ImageRound: Sendable {
  private let framework: Framework
  private let configuration: SuiteConfiguration
  private let host: Host
  private let system: BootSystem
  private let narrator: Narrator

  init(_ framework: Framework, _ configuration: SuiteConfiguration, _ host: Host) {
    self.framework = framework
    self.configuration = configuration
    self.host = host
    system = BootSystem(framework, host)
    narrator = Narrator(host.console)
  }

  /// What there is of the images that targets concern, and what kept that from being seen or mended.
  struct Prospect {
    var facts: ImageFacts
    var problems: [GenerationError] = []
  }

  /// Looks at the images that targets concern; who is to act first ends what a killed run began.
  func look(to purpose: HookPurpose, _ targets: [HookTarget], for only: ImageGenerator?) async -> Prospect {
    let database = Database(root: framework.layout.root)
    let installed = InstalledKernels(framework.layout, database)
    let kernels = bootableKernels(installed)
    let concerned = concernedKernels(targets, database)
    var prospect = Prospect(facts: ImageFacts(policy: configuration.initramfs))
    let choice = await GeneratorChoice(for: kernels, ImageSurvey(system), configuration, database)
    if purpose == .act { announce(choice, for: only) }
    guard let chosen = choice.chosen, only == nil || only == chosen else { return prospect }
    let all = await ImageSurvey(system).recipes(of: chosen, for: kernels)
    prospect.problems = all.problems
    if purpose == .act { prospect.problems += await resume(all.recipes) }
    prospect.facts = await facts(all.recipes.filter { isConcerned($0, by: concerned) }, installed.owners)
    return prospect
  }

  /// Ends what runs that were killed have begun.
  private func resume(_ recipes: [ImageRecipe]) async -> [GenerationError] {
    LeftoverSweeper(framework.layout).sweepTemporary()
    var problems = maker.sweep(beside: recipes)
    for recipe in recipes {
      do { try await maker.resume(recipe) } catch { problems.append(error) }
    }
    return problems
  }

  /// Makes the images that are planned; an outcome for each of these.
  func carryOut(_ plan: ImagePlan, after problems: [GenerationError]) async -> HookEnding {
    problems.forEach(fail)
    plan.entries.forEach(announceKept)
    var outcomes: [Outcome] = []
    for entry in plan.generated { outcomes.append(await make(entry)) }
    let isWell = problems.isEmpty && plan.unknown.isEmpty && outcomes.allSatisfy(\.isDone)
    return HookEnding(isWell: isWell, outcomes: outcomes)
  }

  private func make(_ entry: ImagePlan.Entry) async -> Outcome {
    if Task.isCancelled { return .notTried }
    do {
      try await maker.make(entry)
      host.console.print("  -> \(entry.subject): made\(entry.afterthought)")
      return .done(warnings: [])
    } catch {
      fail(error)
      return .failed(.system(operation: "make", subject: error.subject, reason: error.reason))
    }
  }

  private var maker: ImageMaker { ImageMaker(system, state: framework.layout.imageState) }

  // MARK: Kernels

  private func bootableKernels(_ installed: InstalledKernels) -> [BootableKernel] {
    let catalogue = KernelCatalogue(framework.layout)
    return installed.releases.filter { !configuration.ignores($0) }.compactMap { release in
      (try? Kernel(release: release, architecture: host.architecture)).map {
        BootableKernel($0, packageBase: catalogue.packageBase(of: release))
      }
    }
  }

  /// The kernels that targets are about; nil where they may be about any: a module is, and a package that is gone.
  private func concernedKernels(
    _ targets: [HookTarget], _ database: borrowing Database
  ) -> Set<KernelRelease>? {
    var releases: Set<KernelRelease> = []
    for target in targets {
      switch target {
      case .kernel(let release), .headers(let release): releases.insert(release)
      case .moduleSource, .suite: return nil
      case .package(let name):
        let files = database.files(of: name)?.compactMap(HookTarget.init(line:)) ?? []
        let found = files.compactMap { $0.release }
        if found.isEmpty { return nil }
        releases.formUnion(found)
      }
    }
    return releases
  }

  /// Whether the images of a run are looked into.
  ///
  /// Of a kernel that no target is about they are where its modules are newer: what an earlier transaction left
  /// undone may have been done in this one.
  private func isConcerned(_ recipe: ImageRecipe, by releases: Set<KernelRelease>?) -> Bool {
    guard let releases, !releases.contains(recipe.kernel.release) else { return true }
    let dependencies = framework.layout.kernel(recipe.kernel.release).appending("modules.dep")
    return recipe.images.contains { Files.isNewer(dependencies, than: FilePath($0.path)) }
  }

  // MARK: Generators

  /// Says that nobody knows which images to look at; of several hook files one does.
  private func announce(_ choice: GeneratorChoice, for only: ImageGenerator?) {
    if choice.installed.isEmpty {
      host.console.print("  -> no generator of initramfs images is installed")
    } else if choice.chosen == nil, only == nil || only == choice.installed[0] {
      let names = choice.installed.map(\.rawValue).joined(separator: ", ")
      narrator.warn("no initramfs image is looked at: several generators are installed (\(names))")
      narrator.advise("to choose one, set initramfs-generator in \(framework.layout.suiteConfiguration)")
    }
  }

  // MARK: Facts

  private func facts(
    _ recipes: [ImageRecipe], _ owners: [KernelRelease: String]
  ) async -> ImageFacts {
    var facts = ImageFacts(policy: configuration.initramfs)
    for recipe in recipes { facts.runs.append(await ImageSurvey(system).run(recipe)) }
    let mayBeMade = facts.runs.filter { run in
      configuration.initramfs == .always || !run.conditions.allSatisfy(\.isFresh)
    }
    let kernels = Set(mayBeMade.map(\.recipe.kernel)).sorted { $0.description < $1.description }
    guard !kernels.isEmpty else { return facts }
    let reader = ConditionReader(framework, host: host, kernelOwners: owners)
    for condition in await reader.conditions(of: kernels) {
      facts.unbuiltModules[condition.kernel] = condition.unbuiltModules
    }
    return facts
  }

  // MARK: Words

  private func announceKept(_ entry: ImagePlan.Entry) {
    switch entry.decision {
    case .keepGood(_, let modules):
      let names = modules.joined(separator: ", ")
      narrator.warn(
        "\(entry.subject) stays as it is: \(names), which it needs, could not be built for \(entry.recipe.kernel.release)"
      )
    case .keepUnknown(let flaws):
      let reasons = flaws.map(\.words).joined(separator: "; ")
      host.console.printError("==> ERROR: \(entry.subject) stays as it is: \(reasons)")
      narrator.advise("once that can be read again: alpm-dkms initramfs \(entry.recipe.kernel.release)")
    case .generate, .generateAlways, .keepFresh, .keepNever: break
    }
  }

  private func fail(_ error: GenerationError) {
    host.console.printError("==> ERROR: \(error)")
    if let remedy = error.remedy { narrator.advise(remedy) }
  }
}

extension ImagePlan.Entry {
  fileprivate var afterthought: String {
    guard case .generate(let flaws) = decision, let first = flaws.first else { return "" }
    return flaws.count == 1 ? " (\(first.words))" : " (\(first.words), and \(flaws.count - 1) more)"
  }
}

extension KernelCondition {
  /// The modules whose last build failed, and those that could not be built at all.
  fileprivate var unbuiltModules: Set<String> {
    let unbuilt = modules.filter { module in
      if module.failure != nil { return true }
      guard let obstacle = module.obstacle, module.installed == nil else { return false }
      return obstacle.exitStatus != .excluded
    }
    return Set(unbuilt.flatMap(\.moduleNames).map { String($0.map { $0 == "-" ? "_" : $0 }) })
  }
}

extension HookTarget {
  fileprivate var release: KernelRelease? {
    switch self {
    case .kernel(let release), .headers(let release): release
    case .moduleSource, .package, .suite: nil
    }
  }
}
