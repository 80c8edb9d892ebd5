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
  /// Settings that pacman has put away, and that nothing has replaced.
  var formerFramework: FormerFramework?
  /// What there is for each installed kernel.
  var conditions: [KernelCondition] = []
  /// What matters.
  var configuration = SuiteConfiguration()
  /// What is registered.
  var modules: [ModuleRecord] = []
  /// Sources whose dkms.conf says nothing.
  var unreadable: [ModuleID: DKMSError] = [:]
  /// The commands that install the packages of modules again whose source is missing or cannot be read.
  var reinstallations: [ModuleID: String] = [:]
  /// Sources that are not registered, and of which it is not known what they hold.
  var unreadSources: [UnreadSource] = []
  /// Whether there are sources, registered or not.
  var hasSources = false
  /// Kernels and their headers, sorted.
  var kernels: [(kernel: Kernel, facts: KernelFacts)] = []
  /// Kernels with modules of their own that nobody owns.
  var orphans: [(release: KernelRelease, directory: FilePath)] = []
  /// Files among installed modules that nobody owns and no build accounts for.
  var strayFiles: [(release: KernelRelease, file: FilePath)] = []
  /// Directories that look like module versions but are not.
  var unregistered: [FilePath] = []
  /// What others than root can change, and root runs.
  var exposures: [Exposure] = []
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
  /// The files that should be kernels and are others.
  var strayKernels: [StrayKernel] = []
  /// Hook files of others in whose place one of this suite lies.
  var hookTakeovers: [HookTakeover] = []
  /// Presets of mkinitcpio that make nothing.
  var leftoverPresets: [LeftoverPreset] = []
  /// The release that runs.
  var running = ""
  /// Where registrations are.
  var registrations: [ModuleID: FilePath] = [:]
  /// Packages of which the database does not tell what they own.
  var damagedLists: [DKMSError] = []
  /// What could not be looked at; what depends on it is not known.
  var failedLooks: [DKMSError] = []
}

extension DoctorFacts {
  /// Looks at a system; nothing is changed.
  init(_ layout: Layout, host: Host, database: borrowing Database) async {
    self.init()
    var framework: Framework?
    do { framework = try await Settings.read(over: layout, host: host).framework } catch {
      frameworkError = error
    }
    let snapshot =
      framework?.snapshot(on: host) ?? Snapshot(host: host, layout: layout, options: BuildOptions())
    let layout = snapshot.layout
    (configuration, problems) = SuiteConfiguration.read(layout.suiteConfiguration)
    running = host.runningRelease
    do { formerFramework = try FormerFramework(layout) } catch { failedLooks.append(DKMSError(error)) }
    do { try readTrees(snapshot, database) } catch { failedLooks.append(DKMSError(error)) }
    do { exposures = try TrustFacts(of: modules, in: snapshot).all } catch {
      failedLooks.append(DKMSError(error))
    }
    do { try readHooks(layout, database) } catch { failedLooks.append(DKMSError(error)) }
    do throws(HostError) {
      let installed = try InstalledKernels(snapshot, database)
      orphans = installed.orphans.map { ($0, layout.kernel($0)) }
      if frameworkError == nil { await readKernels(installed, snapshot, database) }
    } catch {
      failedLooks.append(DKMSError(error))
    }
    // As long as it is not known what every source brings, no file is foreign.
    if frameworkError != nil || !failedLooks.isEmpty || !unreadSources.isEmpty { strayFiles = [] }
  }

  private mutating func readHooks(_ layout: Layout, _ database: borrowing Database) throws(HostError) {
    let directories = PacmanConfiguration(root: layout.root).hookDirectories
    for name in HookInstallation.needed(for: InstalledGenerators(database).kinds) {
      hooks.append(try HookInstallation(name, in: directories))
    }
    hookTakeovers = try HookTakeover.all(in: directories, root: layout.root, database)
  }

  private mutating func readTrees(_ snapshot: Snapshot, _ database: borrowing Database) throws(HostError) {
    let layout = snapshot.layout
    let survey = try TreeSurvey(snapshot)
    modules = survey.modules
    registrations = modules.reduce(into: [:]) { $0[$1.id] = layout.registration($1.id) }
    unregistered = try survey.unregistered()
    temporary = try LeftoverSweeper(layout).temporary()
    damagedLists = database.damagedLists
    guard damagedLists.isEmpty else { return }
    let owned = Set(try database.ownedPaths(below: layout.installTree, root: layout.root))
    strayFiles = try survey.strayFiles().filter { !owned.contains($0.file) }
    guard database.problem == nil else { return }
    prunable = PrunePlan(try PruneFacts(snapshot, database)).items
  }

  private mutating func readKernels(
    _ installed: InstalledKernels, _ snapshot: Snapshot, _ database: borrowing Database
  ) async {
    let kernels = installed.releases.filter { !configuration.ignores($0) }
      .compactMap { try? Kernel(release: $0, architecture: snapshot.host.architecture) }
    let packaged = database.packagedSources(in: snapshot.layout, isThorough: true)
    do throws(DKMSError) {
      var sources: [ModuleID: String] = [:]
      if let kernel = kernels.first ?? snapshot.host.runningKernel {
        let unregistered: UnregisteredSources
        do { unregistered = try await UnregisteredSources(snapshot, for: kernel, packaged: packaged) } catch {
          throw DKMSError(error)
        }
        (sources, unreadSources) = (unregistered.modules, unregistered.unread)
        unreadSources.addReinstallations(from: database, snapshot.layout)
      }
      let registered = modules.filter { !$0.isBroken }.map(\.id)
      let facts = try await FactsReader(snapshot, kernelOwners: installed.owners).facts(
        FactsReader.Request(modules: registered + sources.keys, kernels: kernels, sources: sources))
      take(facts, of: kernels)
      addReinstallations(from: database, snapshot.layout)
      forgetSourced(sources, facts, in: snapshot.layout)
      let survey = try await ConditionReader(
        snapshot, kernelOwners: installed.owners, packagedSources: packaged
      ).survey(of: kernels)
      conditions = survey.conditions
      do { try conditions.addOrigins(from: database, snapshot) } catch { throw DKMSError(error) }
      if let names = survey.names {
        problems += configuration.problems(among: names, in: snapshot.layout.suiteConfiguration.string)
      }
      if configuration.initramfs != .never { try await readImages(of: kernels, snapshot, database) }
    } catch {
      failedLooks.append(error)
    }
  }

  private mutating func addReinstallations(from database: borrowing Database, _ layout: Layout) {
    for record in modules where record.isBroken || unreadable[record.id] != nil {
      let source = record.source.map { FilePath($0) } ?? layout.source(record.id)
      let origin = database.origin(of: source.appending("dkms.conf"), root: layout.root)
      reinstallations[record.id] = origin?.reinstallation
    }
  }

  /// What a source on the system accounts for is neither foreign nor left over.
  private mutating func forgetSourced(_ sources: [ModuleID: String], _ facts: Facts, in layout: Layout) {
    hasSources = !modules.isEmpty || !sources.isEmpty
    let names = Set(
      facts.configurations.values.flatMap(\.values).flatMap { $0.configuration?.modules ?? [] }
        .map(\.destinationName))
    strayFiles.removeAll {
      Compression.moduleName(ofFile: $0.file.lastComponent?.string ?? "").map(names.contains) == true
    }
    let directories = Set(sources.keys.map(layout.registration))
    unregistered.removeAll(where: directories.contains)
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
    strayKernels = found.strays
    leftoverPresets = found.leftovers
    problems += found.problems.map(ConfigurationProblem.init)
  }
}

/// Whether pacman runs a hook file.
struct HookInstallation: Hashable {
  /// The file's name.
  let name: String
  /// Whether it runs.
  let state: State

  enum State: Hashable {
    /// Pacman finds it, here.
    case present(FilePath)
    /// This link to /dev/null, or this file without a trigger, takes its place.
    case masked(FilePath)
    /// This file takes its place and runs something else.
    case replaced(FilePath, command: String)
    /// Pacman refuses this file, and every transaction with it.
    case malformed(FilePath, reason: String)
    /// No directory has it.
    case missing
  }

  /// The hook files without which modules are not built, kept, or looked after, nor images of these generators made.
  static func needed(for generators: [ImageGenerator] = []) -> [String] {
    ["70-dkms-install.hook", "70-dkms-upgrade.hook", "71-dkms-remove.hook"]
      + (generators.isEmpty ? [] : ["91-dkms-initramfs.hook"]) + ["99-alpm-dkms-verify.hook"]
  }

  /// Looks for a hook file; that in a later directory takes the place of one in an earlier.
  ///
  /// - Throws: `HostError` where a directory cannot be looked into.
  init(_ name: String, in directories: [FilePath]) throws(HostError) {
    self.name = name
    guard let file = try directories.map({ $0.appending(name) }).reversed().firstWhere(Files.exists) else {
      state = .missing
      return
    }
    let text = try Files.linkTarget(file) == "/dev/null" ? "" : try Files.text(file)
    do throws(HookFile.Malformed) {
      guard let text else { throw HookFile.Malformed(name: name, line: nil, text: "it cannot be read") }
      let hook = try HookFile(name: name, text: text)
      if hook.triggers.isEmpty {
        state = .masked(file)
      } else if hook.command.contains("/alpm-dkms-") {
        state = .present(file)
      } else {
        state = .replaced(file, command: hook.command)
      }
    } catch {
      state = .malformed(file, reason: "\(error)")
    }
  }
}
