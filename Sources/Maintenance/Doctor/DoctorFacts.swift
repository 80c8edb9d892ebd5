// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import Pacman
internal import SystemPackage

/// All that a diagnosis is made from, read at one moment.
struct DoctorFacts {
  /// What is wrong with `/etc/alpm-dkms.conf`.
  var problems: [ConfigurationProblem] = []
  /// Why framework.conf cannot be read; then all else was looked for where things usually are.
  var frameworkError: DKMSError?
  /// What there is for each installed kernel.
  var conditions: [KernelCondition] = []
  /// What matters.
  var configuration = SuiteConfiguration()
  /// What is registered.
  var modules: [ModuleRecord] = []
  /// Sources whose dkms.conf says nothing.
  var unreadable: [ModuleID: DKMSError] = [:]
  /// Kernels and their headers, sorted.
  var kernels: [(kernel: Kernel, facts: KernelFacts)] = []
  /// Kernels with modules of their own that nobody owns.
  var orphans: [(release: KernelRelease, directory: FilePath)] = []
  /// Files among installed modules that nobody owns and no build accounts for.
  var foreignFiles: [(release: KernelRelease, file: FilePath)] = []
  /// Directories that look like module versions and are none.
  var unregistered: [FilePath] = []
  /// Sources that anybody may change.
  var openSources: [FilePath] = []
  /// Directories of calls that were killed, older than a day.
  var temporary: [FilePath] = []
  /// The hooks of this suite.
  var hooks: [HookInstallation] = []
  /// Keys without certificates and the other way round.
  var keyProblems: [SigningProblem] = []
  /// What may go; nothing where nobody can tell what packages own.
  var prunable: [Prunable] = []
  /// The initramfs images.
  var images: [ImageCondition] = []
  /// The release that runs.
  var running = ""
  /// Where registrations are.
  var registrations: [ModuleID: FilePath] = [:]
}

extension DoctorFacts {
  /// Looks at a system; nothing is changed.
  init(_ layout: Layout, host: Host, database: borrowing Database) async {
    self.init()
    var framework: Framework?
    do { framework = try await Framework.read(over: layout, host: host) } catch { frameworkError = error }
    let layout = framework?.layout ?? layout
    (configuration, problems) = SuiteConfiguration.read(layout.suiteConfiguration)
    running = host.runningRelease
    readTrees(layout, host, database)
    hooks = HookInstallation.needed(for: InstalledGenerators(database).kinds).map {
      HookInstallation($0, in: PacmanConfiguration(root: layout.root).hookDirectories)
    }
    let installed = InstalledKernels(layout, database)
    orphans = installed.orphans.map { ($0, layout.kernel($0)) }
    if let framework { await readKernels(installed, framework, host, database) }
  }

  private mutating func readTrees(_ layout: Layout, _ host: Host, _ database: borrowing Database) {
    let survey = TreeSurvey(layout)
    modules = survey.modules
    registrations = modules.reduce(into: [:]) { $0[$1.id] = layout.registration($1.id) }
    unregistered = survey.unregistered
    openSources = survey.openSources
    temporary = LeftoverSweeper(layout).temporary
    let owned = Set(database.ownedPaths(below: layout.installTree, root: layout.root))
    foreignFiles = survey.foreignFiles.filter { !owned.contains($0.file) }
    guard database.doubt == nil else { return }
    prunable = PrunePlan(PruneFacts(layout, host: host, database: database)).items
  }

  private mutating func readKernels(
    _ installed: InstalledKernels, _ framework: Framework, _ host: Host, _ database: borrowing Database
  ) async {
    let kernels = installed.releases.filter { !configuration.ignores($0) }
      .compactMap { try? Kernel(release: $0, architecture: host.architecture) }
    var options = framework.options
    options.kernelOwners = installed.owners
    let facts = await FactsReader(host: host, layout: framework.layout, options: options).facts(
      modules: modules.filter { !$0.isBroken }.map(\.id), kernels: kernels)
    self.kernels = kernels.compactMap { kernel in facts.kernels[kernel].map { (kernel, $0) } }
    for (id, answers) in facts.configurations {
      unreadable[id] = kernels.lazy.compactMap { answers[$0]?.error }.first
    }
    for signing in self.kernels.compactMap(\.facts.signing) {
      guard let problem = SigningProblem(signing.keys, signing.state), signing.state != .absent,
        !keyProblems.contains(problem)
      else { continue }
      keyProblems.append(problem)
    }
    conditions = await ConditionReader(framework, host: host, kernelOwners: installed.owners)
      .conditions(of: kernels)
    await readImages(of: kernels, framework, host, database)
  }

  private mutating func readImages(
    of kernels: [Kernel], _ framework: Framework, _ host: Host, _ database: borrowing Database
  ) async {
    guard configuration.initramfs != .never else { return }
    let found = await KernelImages(of: kernels, framework, configuration, host, database)
    images = found.conditions
    problems += found.problems.map(ConfigurationProblem.init)
  }
}
