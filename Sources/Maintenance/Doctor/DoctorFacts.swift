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
  /// Why framework.conf cannot be read; then the default places were looked at.
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
  var strayFiles: [(release: KernelRelease, file: FilePath)] = []
  /// Directories that look like module versions but are not.
  var unregistered: [FilePath] = []
  /// Sources that anybody may change.
  var openSources: [FilePath] = []
  /// Directories of calls that were killed, older than a day.
  var temporary: [FilePath] = []
  /// The hooks of this suite.
  var hooks: [HookInstallation] = []
  /// Keys without certificates and the other way round.
  var keyProblems: [SigningProblem] = []
  /// What can be removed; empty if it is not known what packages own.
  var prunable: [Prunable] = []
  /// The initramfs images.
  var images: [ImageCondition] = []
  /// The release that runs.
  var running = ""
  /// Where registrations are.
  var registrations: [ModuleID: FilePath] = [:]
  /// What could not be looked at; what depends on it is not known.
  var failedLooks: [DKMSError] = []
}

extension DoctorFacts {
  /// Looks at a system; nothing is changed.
  init(_ layout: Layout, host: Host, database: borrowing Database) async {
    self.init()
    var framework: Framework?
    do { framework = try await Framework.read(over: layout, host: host) } catch { frameworkError = error }
    let snapshot =
      framework?.snapshot(on: host) ?? Snapshot(host: host, layout: layout, options: BuildOptions())
    let layout = snapshot.layout
    (configuration, problems) = SuiteConfiguration.read(layout.suiteConfiguration)
    running = host.runningRelease
    do { try readTrees(snapshot, database) } catch { failedLooks.append(DKMSError(error)) }
    do { try readHooks(layout, database) } catch { failedLooks.append(DKMSError(error)) }
    do throws(HostError) {
      let installed = try InstalledKernels(snapshot, database)
      orphans = installed.orphans.map { ($0, layout.kernel($0)) }
      if frameworkError == nil { await readKernels(installed, snapshot, database) }
    } catch {
      failedLooks.append(DKMSError(error))
    }
  }

  private mutating func readHooks(_ layout: Layout, _ database: borrowing Database) throws(HostError) {
    let directories = PacmanConfiguration(root: layout.root).hookDirectories
    for name in HookInstallation.needed(for: InstalledGenerators(database).kinds) {
      hooks.append(try HookInstallation(name, in: directories))
    }
  }

  private mutating func readTrees(_ snapshot: Snapshot, _ database: borrowing Database) throws(HostError) {
    let layout = snapshot.layout
    let survey = try TreeSurvey(snapshot)
    modules = survey.modules
    registrations = modules.reduce(into: [:]) { $0[$1.id] = layout.registration($1.id) }
    unregistered = try survey.unregistered()
    openSources = try survey.openSources()
    temporary = try LeftoverSweeper(layout).temporary()
    let owned = Set(try database.ownedPaths(below: layout.installTree, root: layout.root))
    strayFiles = try survey.strayFiles().filter { !owned.contains($0.file) }
    guard database.doubt == nil else { return }
    prunable = PrunePlan(try PruneFacts(snapshot, database)).items
  }

  private mutating func readKernels(
    _ installed: InstalledKernels, _ snapshot: Snapshot, _ database: borrowing Database
  ) async {
    let kernels = installed.releases.filter { !configuration.ignores($0) }
      .compactMap { try? Kernel(release: $0, architecture: snapshot.host.architecture) }
    do throws(DKMSError) {
      let facts = try await FactsReader(snapshot, kernelOwners: installed.owners).facts(
        FactsReader.Request(modules: modules.filter { !$0.isBroken }.map(\.id), kernels: kernels))
      take(facts, of: kernels)
      conditions = try await ConditionReader(snapshot, kernelOwners: installed.owners)
        .conditions(of: kernels)
      if configuration.initramfs != .never { try await readImages(of: kernels, snapshot, database) }
    } catch {
      failedLooks.append(error)
    }
  }

  private mutating func take(_ facts: Facts, of kernels: [Kernel]) {
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
  }

  private mutating func readImages(
    of kernels: [Kernel], _ snapshot: Snapshot, _ database: borrowing Database
  ) async throws(DKMSError) {
    let found: KernelImages
    do { found = try await KernelImages(of: kernels, snapshot, configuration, database) } catch {
      throw DKMSError(error)
    }
    images = found.conditions
    problems += found.problems.map(ConfigurationProblem.init)
  }
}
