// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import SystemPackage

/// The images of a system: what there is of them, and the making of those that are planned.
struct ImageRound: Sendable {
  private let snapshot: Snapshot
  private let layout: Layout
  private let configuration: SuiteConfiguration
  private let host: Host
  private let system: BootSystem
  private let narrator: Narrator
  private let only: ImageGenerator?
  private var choice: GeneratorChoice?
  private var recipes = ImageRecipes()
  private var kernels: [BootableKernel] = []
  private var concerned: Set<KernelRelease>?
  private var owners: [KernelRelease: String] = [:]

  /// Finds out which images there are to look at for what a transaction has touched; `only` is the generator that a
  /// hook file is for, nil for whichever there is.
  init(
    _ snapshot: Snapshot, _ configuration: SuiteConfiguration, _ targets: [HookTarget],
    for only: ImageGenerator?
  ) async throws(HostError) {
    self.snapshot = snapshot
    layout = snapshot.layout
    host = snapshot.host
    self.configuration = configuration
    self.only = only
    system = BootSystem(snapshot)
    narrator = Narrator(host.console)
    guard looksAtImages else { return }
    let database = Database(root: layout.root)
    let installed = try InstalledKernels(snapshot, database)
    owners = installed.owners
    concerned = concernedKernels(targets, database)
    kernels = try bootableKernels(installed)
    let survey = ImageSurvey(system)
    let choice = await GeneratorChoice(for: kernels, survey, configuration, database)
    self.choice = choice
    let chosen = choice.chosen
    let own = if let chosen { await survey.recipes(of: chosen, for: kernels) } else { ImageRecipes() }
    if only == nil || only == chosen { recipes = own }
    let others = await survey.images(beside: own.recipes, installed: choice.installed, for: kernels)
    for recipe in others.recipes where only == nil || only == recipe.generator { recipes.append(recipe) }
    if only == nil || only == chosen {
      for problem in others.problems { recipes.append(problem) }
    }
  }

  /// Whether the administrator wants any image looked at.
  var looksAtImages: Bool { configuration.initramfs != .never }

  /// Ends what runs that were killed have begun.
  ///
  /// - Returns: Whether that went well; what went wrong has been said.
  /// - Throws: `HostError` where it cannot be told what they have left.
  func resume() async throws(HostError) -> Bool {
    guard choice?.chosen != nil && only == nil || !recipes.recipes.isEmpty else { return true }
    try LeftoverSweeper(layout).sweepTemporary()
    var problems = maker.sweep(beside: recipes.recipes)
    for recipe in recipes.recipes {
      do { try await maker.resume(recipe) } catch { problems.append(error) }
    }
    problems.forEach(fail)
    return problems.isEmpty
  }

  /// Looks at the images that targets concern.
  ///
  /// - Throws: `DKMSError` where the trees cannot be looked at.
  func look() async throws(DKMSError) -> RoundFacts {
    var facts = RoundFacts(
      images: try await images(recipes.recipes.filter(isConcerned)), installed: choice?.installed ?? [],
      chosen: choice?.chosen, requested: only, problems: recipes.problems)
    if let chosen = choice?.chosen, only == nil || only == chosen {
      let files = KernelFiles(system).strays(among: kernels, presets: recipes.presetKernels)
      facts.problems += files.found.map(GenerationError.init) + files.problems
    }
    return facts
  }

  /// Makes the planned images; returns one outcome for each.
  func carryOut(_ plan: ImagePlan, from facts: RoundFacts) async -> HookEnding {
    if looksAtImages { announce(facts) }
    facts.problems.forEach(fail)
    plan.entries.forEach(announceKept)
    let expected = plan.generated.map { ($0.subject, Int?.none) }
    let progress = Progress(
      "making", "made", expected: Dictionary(expected) { $1 }, on: host, isVerbose: snapshot.options.isVerbose
    )
    let outcomes = await progress.accompany {
      var outcomes: [Outcome] = []
      for entry in plan.generated { outcomes.append(await make(entry, progress)) }
      return outcomes
    }
    let isWell = facts.problems.isEmpty && plan.unknown.isEmpty && outcomes.allSatisfy(\.isDone)
    return HookEnding(isWell: isWell, outcomes: outcomes)
  }

  private func make(_ entry: ImagePlan.Entry, _ progress: Progress) async -> Outcome {
    if Task.isCancelled { return .notTried }
    if !entry.isOnlySigned { progress.began(entry.subject, as: entry.name) }
    let result: Result<[GenerationError], GenerationError>
    do { result = .success(try await maker.make(entry)) } catch { result = .failure(error) }
    let duration = progress.ended(entry.subject)
    do {
      let complaints = try result.get()
      let time = progress.isTold ? duration.map { " in \($0.elapsed)" } ?? "" : ""
      host.console.print(
        "  -> \(entry.subject): \(entry.isOnlySigned ? "signed" : "made\(time)\(entry.afterthought)")")
      for complaint in complaints {
        narrator.warn("\(complaint); the image is used, since it is as good as the old one without that")
        if let remedy = complaint.remedy { narrator.advise(remedy) }
      }
      return .done(warnings: complaints.map { "\($0)" })
    } catch {
      fail(error)
      return .failed(.system(operation: "make", subject: error.subject, reason: error.reason))
    }
  }

  private var maker: ImageMaker { ImageMaker(system) }

  // MARK: Kernels

  private func bootableKernels(_ installed: InstalledKernels) throws(HostError) -> [BootableKernel] {
    var kernels: [BootableKernel] = []
    for release in installed.releases where !configuration.ignores(release) {
      guard let kernel = try? Kernel(release: release, architecture: host.architecture) else { continue }
      kernels.append(BootableKernel(kernel, packageBase: try snapshot.kernels().packageBase(of: release)))
    }
    return kernels
  }

  /// The kernels that targets are about; nil if they may be about any kernel, as with a module or a removed
  /// package.
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
  /// The images of a kernel that no target is about are looked into if its modules are newer: this
  /// transaction may have done what an earlier one left undone.
  private func isConcerned(_ recipe: ImageRecipe) -> Bool {
    guard let concerned, !concerned.contains(recipe.kernel.release) else { return true }
    let dependencies = layout.kernel(recipe.kernel.release).appending("modules.dep")
    // If that cannot be told, looking into the image will say why.
    return recipe.images.contains { (try? Files.isNewer(dependencies, than: FilePath($0.path))) != false }
  }

  // MARK: Generators

  /// Says that it is not known which images to look at.
  ///
  /// Of several hook files, only one does so.
  private func announce(_ facts: RoundFacts) {
    if facts.installed.isEmpty {
      host.console.print("  -> no generator of initramfs images is installed")
    } else if facts.chosen == nil, facts.requested == nil || facts.requested == facts.installed[0] {
      let names = facts.installed.map(\.rawValue).joined(separator: ", ")
      narrator.warn("initramfs images are not checked: several generators are installed (\(names))")
      narrator.advise("to choose one, set initramfs-generator in \(layout.suiteConfiguration)")
    }
  }

  // MARK: Facts

  private func images(_ recipes: [ImageRecipe]) async throws(DKMSError) -> ImageFacts {
    var facts = ImageFacts(policy: configuration.initramfs)
    facts.runs = await ImageSurvey(system).runs(recipes)
    let mayBeMade = facts.runs.filter { run in
      configuration.initramfs == .always || !run.conditions.allSatisfy(\.isFresh)
    }
    let kernels = Set(mayBeMade.map(\.recipe.kernel)).sorted { $0.description < $1.description }
    guard !kernels.isEmpty else { return facts }
    for condition in try await ConditionReader(snapshot, kernelOwners: owners).conditions(of: kernels) {
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
    case .keepUnsigned(let flaws):
      for case .unsigned(_, let remedy) in flaws {
        narrator.warn("\(entry.subject) stays as it is: nothing here is known to sign it")
        narrator.advise(remedy)
      }
    case .generate, .generateAlways, .sign, .keepFresh, .keepNever: break
    }
  }

  private func fail(_ error: GenerationError) {
    host.console.printError("==> ERROR: \(error)")
    if let remedy = error.remedy { narrator.advise(remedy) }
  }
}

extension ImagePlan.Entry {
  /// The first image without its directory.
  fileprivate var name: String { FilePath(recipe.images[0].path).lastComponent?.string ?? subject }

  fileprivate var afterthought: String {
    guard case .generate(let flaws) = decision, let first = flaws.first else { return "" }
    return flaws.count == 1 ? " (\(first.words))" : " (\(first.words), and \(flaws.count - 1) more)"
  }
}

extension KernelCondition {
  /// The kernel modules that could not be built and are not installed either: an image is as good as it can be
  /// with the last build that is.
  fileprivate var unbuiltModules: Set<String> {
    let unbuilt = modules.filter { $0.failure != nil || $0.obstacle?.isSkip == false }
    return Set(unbuilt.flatMap(\.absentNames).map(\.asKernelModuleName))
  }
}

extension ModuleCondition {
  /// The kernel modules in it that are not there, in any version.
  fileprivate var absentNames: [String] {
    guard installed != nil else { return moduleNames }
    let present = files.filter { $0.exists || $0.kernelsOwn != nil }.map(\.name)
    return moduleNames.filter { !present.contains($0) }
  }
}

extension GenerationError {
  fileprivate init(_ stray: StrayKernel) { self.init(stray.path, stray.reason, remedy: stray.remedy) }
}

extension HookTarget {
  fileprivate var release: KernelRelease? {
    switch self {
    case .kernel(let release), .headers(let release): release
    case .moduleSource, .package, .suite: nil
    }
  }
}
