// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What a build takes from the cache, and what it leaves there. The cache only saves time: whatever is wrong with it, the
/// module is compiled.
extension ModuleBuild {
  // MARK: The key

  /// The key of what is built; nil where it depends on more than can be looked at, or a look failed.
  func cacheKey(_ kernelTree: KernelTree) -> CacheKey? {
    guard let cache = runner.cache, !cache.excludes(configuration),
      !SourceReach(in: runner.layout).isPossible(for: configuration, from: source),
      let parts = try? sourceParts() + kernelParts(kernelTree) + dependencyParts() + environmentParts()
    else { return nil }
    return CacheKey(parts + commandParts)
  }

  private struct NotKnown: Error {}

  private var source: FilePath { runner.layout.sourceLink(id) }

  /// What is copied into the build directory, and what the administrator adds to it.
  private func sourceParts() throws -> [String] {
    let administration = runner.layout.administration(of: id)
    guard let source = try Files.resolved(source), let own = try TreeDigest.digest(of: source),
      let added = try TreeDigest.digest(of: administration)
    else { throw NotKnown() }
    return ["source", own, "administration", added]
  }

  private func kernelParts(_ tree: KernelTree) throws -> [String] {
    guard let fingerprint = try tree.fingerprint(), let headers = try Files.resolved(tree.headers),
      let generated = try TreeDigest.digest(of: headers.appending("include/generated"))
    else { throw NotKnown() }
    return [
      "kernel", "\(kernel)", fingerprint.symbols, fingerprint.configuration, fingerprint.compiler, "headers",
      "\(tree.headers)", "\(headers)", generated,
    ]
  }

  /// The builds of other modules that this one may be linked against, and their sources, whose headers it may include.
  private func dependencyParts() throws -> [String] {
    guard !configuration.buildDepends.isEmpty else { return [] }
    var parts: [String] = []
    for record in try runner.tree.state().modules where configuration.buildDepends.contains(record.id.name) {
      let symbols = runner.layout.productModules(record.id, kernel).appending("Module.symvers")
      let source = try Files.resolved(runner.layout.sourceLink(record.id))
      guard let digest = try source.map(TreeDigest.digest) ?? "none" else { throw NotKnown() }
      let exported = try Files.contents(symbols).map { SHA256.digest(of: $0) } ?? "none"
      parts += ["dependency", "\(record.id)", exported, digest]
    }
    return parts
  }

  /// What the configuration has the build do.
  private var commandParts: [String] {
    let modules = configuration.modules.map { "\($0.builtPath)\0\($0.destinationName)\0\($0.isStripped)" }
    let scripts = configuration.scripts.map { "\($0.key.rawValue)=\($0.value)" }.sorted()
    let subject = ["module", "\(id)", runner.layout.build(id).string, configuration.makeCommand]
    return subject + modules + ["patches"] + configuration.patches + ["scripts"] + scripts
  }

  /// Who builds, and with which programs and variables.
  private func environmentParts() throws -> [String] {
    let path = ProgramPath(environment)
    let programs = try surroundings.toolchain.programs.flatMap(path.places).map { place in
      // Packages set the times of their files, so another version has another time.
      guard let file = try Files.identity(place), let goal = try Files.resolved(place) else {
        throw NotKnown()
      }
      return "\(place) \(goal) \(file.size) \(file.written)"
    }
    let variables = environment.filter { !Self.isIdle($0.key) }.map { "\($0.key)=\($0.value)" }.sorted()
    return ["user", confinement?.user.name ?? "", "programs"] + programs + ["environment"] + variables
  }

  /// Whether a variable only tells who is at which terminal; any other may change what a build does.
  private static func isIdle(_ variable: String) -> Bool {
    idleVariables.contains(variable) || idleBeginnings.contains(where: variable.hasPrefix)
  }

  private static let idleVariables: Set = [
    "_", "COLORTERM", "COLUMNS", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "EDITOR", "INVOCATION_ID",
    "JOURNAL_STREAM", "LANG", "LANGUAGE", "LINES", "LOGNAME", "LS_COLORS", "MAIL", "OLDPWD", "PAGER", "PWD",
    "SHELL", "SHLVL", "TERM", "TMPDIR", "USER", "VISUAL", "WAYLAND_DISPLAY", "WINDOWID", "XAUTHORITY",
  ]
  private static let idleBeginnings = ["LC_", "SSH_", "SUDO_", "XDG_"]

  // MARK: Taking out

  /// What an earlier build with this key has made; nil where there is none that is whole and fits.
  func restored(_ key: CacheKey) async -> BuildOutputs? {
    guard let cache = runner.cache?.cache else { return nil }
    do {
      guard let entry = try cache.entry(key.name) else { return nil }
      guard let outputs = try outputs(of: entry, in: cache, key), try await restoreTree(entry, in: cache, key)
      else {
        try cache.discard(key.name)
        return nil
      }
      try? cache.use(key.name, at: runner.host.now())
      runner.echo?.print("# the build of \(id) for \(kernel.release) is taken from \(cache.path(key.name))")
      return outputs
    } catch {
      try? cache.discard(key.name)
      return nil
    }
  }

  private func outputs(
    of entry: CacheEntry, in cache: BuildCache, _ key: CacheKey
  ) throws -> BuildOutputs? {
    let names = configuration.modules.map(CacheEntry.Name.module)
    let others = [CacheEntry.Name.log, CacheEntry.Name.symbols]
    guard entry.id == id, entry.kernel == kernel, try isForThisKernel(entry),
      Set(entry.files.keys).subtracting(others) == Set(names),
      (entry.tree != nil) == (configuration.scripts[.postBuild] != nil),
      let log = try cache.contents(CacheEntry.Name.log, of: entry, key.name)
    else { return nil }
    try makeDirectories()
    var outputs = BuildOutputs(log: log)
    if entry.files[CacheEntry.Name.symbols] != nil {
      guard let symbols = try cache.contents(CacheEntry.Name.symbols, of: entry, key.name) else { return nil }
      outputs.symbols = output.appending(CacheEntry.Name.symbols)
      try Files.write(symbols, to: output.appending(CacheEntry.Name.symbols))
    }
    for (name, module) in zip(names, configuration.modules) {
      guard let bytes = try cache.contents(name, of: entry, key.name),
        [nil, kernel.release.description].contains(ModuleInformation(bytes).release)
      else { return nil }
      let file = output.appending("\(module.destinationName).ko")
      try Files.write(bytes, to: file)
      outputs.modules.append(file)
    }
    return outputs
  }

  /// The packages of the kernel are not part of the key, since not every call knows them.
  private func isForThisKernel(_ entry: CacheEntry) throws -> Bool {
    try notedFingerprint().map(entry.fingerprint.matches) == true
  }

  /// Puts back the directory that POST_BUILD finds after a build; false where it is not what was kept.
  private func restoreTree(_ entry: CacheEntry, in cache: BuildCache, _ key: CacheKey) async throws -> Bool {
    guard let tree = entry.tree else { return true }
    let kept = cache.path(key.name).appending(CacheEntry.Name.tree)
    try await runner.tool("cp", ["-a", "--reflink=auto", "\(kept)/.", scratch.string])
    guard try TreeDigest.digest(of: scratch) == tree else { return false }
    try await handOver()
    return true
  }

  // MARK: Putting in

  /// Keeps what was built for the next time, if what it was made from is still what it was.
  func keep(_ outputs: BuildOutputs, as key: CacheKey, _ log: FilePath) async {
    guard let cache = runner.cache?.cache, !Task.isCancelled else { return }
    do {
      // The tree of a moment ago has been read already, and would not be read again.
      let tree = KernelTree(kernel.release, in: runner.layout, options: runner.options)
      guard cacheKey(tree) == key, let fingerprint = try notedFingerprint() else { return }
      var names = [CacheEntry.Name.log] + configuration.modules.map(CacheEntry.Name.module)
      var files = [log] + outputs.modules
      if let symbols = outputs.symbols {
        names.append(CacheEntry.Name.symbols)
        files.append(symbols)
      }
      let keepsTree = configuration.scripts[.postBuild] != nil
      var size = keepsTree ? try Files.diskUsage(scratch) : 0
      for file in files { size += try Files.diskUsage(file) }
      guard let draft = try cache.draft(size: size) else { return }
      var digests: [String: String] = [:]
      for index in names.indices {
        digests[names[index]] = try draft.add(Files.read(files[index]), as: names[index])
      }
      let digest = keepsTree ? try await keepTree(in: draft.path) : nil
      if keepsTree, digest == nil { return }
      let now = runner.host.now()
      let entry = CacheEntry(
        id: id, kernel: kernel, time: now, fingerprint: fingerprint, files: digests, tree: digest)
      try cache.keep(draft, as: key.name, entry, at: now)
    } catch {
      runner.echo?.print("# the build is not kept in the cache: \(error)")
    }
  }

  /// Keeps the whole build directory; nil where that leads out of itself.
  private func keepTree(in entry: FilePath) async throws -> String? {
    let kept = entry.appending(CacheEntry.Name.tree)
    try Files.makeDirectories(kept)
    try await runner.tool(
      "cp", ["-a", "--no-preserve=ownership", "--reflink=auto", "\(scratch)/.", kept.string])
    return try TreeDigest.digest(of: kept)
  }
}

/// The cache as a run uses it.
struct UsedCache: Sendable {
  let cache: BuildCache
  private let excluded: [NamePattern]

  /// Nil where it is not wanted, or must not be trusted.
  init?(_ options: CacheOptions?, in layout: Layout) {
    guard let options, options.isUsed, (try? BuildCache.isTrusted(in: layout)) == true else { return nil }
    cache = BuildCache(layout, limit: options.limit)
    excluded = options.excluded
  }

  /// Whether the administrator has a module compiled each time.
  func excludes(_ configuration: ModuleConfiguration) -> Bool {
    let names = [configuration.id.name] + configuration.modules.map(\.destinationName)
    return names.contains { name in excluded.contains { $0.matches(module: name) } }
  }
}
