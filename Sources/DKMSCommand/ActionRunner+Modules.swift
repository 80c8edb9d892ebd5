// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

extension ActionRunner {
  /// The actions on one module: from `add` to `remove`.
  func changeModule() async throws -> ExitStatus {
    // The reference reads the distribution from it; package scripts count on the exit status when it is
    // missing.
    if action == .add {
      let places: [FilePath] = ["/etc/os-release", "/usr/lib/os-release"]
      let isNamed = try places.contains { try Files.resolved($0) != nil }
      if !isNamed { throw UsageError.noOSRelease }
    }
    guard !isUndoing, arguments.module.isEmpty, let path = arguments.importPath else {
      return try await change(try module(), from: nil)
    }
    try checkAccess()
    let module = try await importer.module(at: path, for: try importKernel())
    let status = try await change(module.id, from: module.origin)
    module.discard()
    return status
  }

  private func change(_ id: ModuleID, from origin: ModuleOrigin?) async throws -> ExitStatus {
    let record = try tree()[id]
    if origin == nil { try checkState(of: id, record) }
    try checkAccess()
    if arguments.isSafeUpgrade, try await isHalfOfAnUpgrade(id) { return .success }
    let kernels = try kernels(of: record)
    if isUndoing { for kernel in kernels { tellNothingToUndo(record, kernel) } }
    let facts = try await facts(try concerned(by: id, kernels), kernels, origin: origin)
    let plan = plan(id, kernels, facts)
    remarkOnDeprecations(of: plan, facts)
    return try await carryOut(plan, from: action == .install ? facts : nil)
  }

  func module() throws -> ModuleID {
    let name = arguments.module
    guard !name.isEmpty else { throw UsageError.noModule(action) }
    guard !arguments.version.isEmpty else {
      throw UsageError.noVersion(action, name: name, versions: try versions(of: name))
    }
    return try ModuleID(name: name, version: arguments.version)
  }

  /// The versions of a module that the action could be meant for, the newest first.
  private func versions(of name: String) throws -> [String] {
    let registered = try tree().modules.map(\.id).filter { $0.name == name }.map(\.version)
    let sources = try Files.list(layout.sourceTree, beginningWith: "\(name)-").filter { directory in
      try isNamed(name, layout.sourceTree.appending(directory).appending("dkms.conf"))
    }.map { String($0.dropFirst(name.count + 1)) }
    let versions = isUndoing ? registered : registered + sources.filter { !registered.contains($0) }
    return versions.sorted { VersionOrder($1) < VersionOrder($0) }
  }

  /// Whether a dkms.conf plainly says that its module has that name; another module's name may merely begin
  /// with it.
  private func isNamed(_ name: String, _ configuration: FilePath) throws -> Bool {
    let lines = try Files.text(configuration)?.split(whereSeparator: \.isNewline) ?? []
    return lines.contains { line in
      line.replacing("\"", with: "").replacing("'", with: "").split(separator: " ").last
        == "PACKAGE_NAME=\(name)"
    }
  }

  /// Says where there is nothing to undo, as scripts that show it to people expect.
  private func tellNothingToUndo(_ record: ModuleRecord?, _ kernel: Kernel) {
    guard let record else { return }
    let build = record.build(for: kernel)
    let lack = action == .uninstall ? "installed" : "built"
    guard build == nil || action == .uninstall && build?.isInstalled == false else { return }
    host.console.print("  -> \(record.id) for \(kernel.release): not \(lack), skipped")
  }

  var isUndoing: Bool { [.uninstall, .unbuild, .remove].contains(action) }

  private func checkState(of id: ModuleID, _ record: ModuleRecord?) throws {
    if isUndoing, record == nil { throw DKMSError.notAdded(id) }
    // Scripts count on that status. Adding the module again repairs the link, and a forced removal gets rid
    // of it.
    let isWayOut = action == .add || action == .remove && arguments.isForced
    if record?.isBroken == true, !isWayOut {
      throw DKMSError.moduleBroken(id, link: layout.sourceLink(id).string)
    }
  }

  private func kernels(of record: ModuleRecord?) throws -> [Kernel] {
    guard arguments.isAll else { return try namedKernels() }
    if isUndoing { return record?.builds.map(\.kernel) ?? [] }
    guard action != .add else { throw UsageError.allNotSupported(action) }
    return try onFiles { () throws(HostError) in try snapshot.kernels().kernels }.map {
      try Kernel(release: $0, architecture: host.architecture)
    }
  }

  /// The modules whose configurations are read: the module itself and, for an installation, those built for the
  /// kernels, since they may need it.
  private func concerned(by id: ModuleID, _ kernels: [Kernel]) throws -> [ModuleID] {
    guard action == .install else { return [id] }
    return try [id]
      + tree().modules
      .filter { record in record.id != id && kernels.contains { record.build(for: $0) != nil } }.map(\.id)
  }

  private func plan(_ id: ModuleID, _ kernels: [Kernel], _ facts: Facts) -> Plan {
    switch action {
    case .build: Planner.build(id, for: kernels, facts: facts, options: options)
    case .install: Planner.install(id, for: kernels, facts: facts, options: options)
    case .uninstall: Planner.uninstall(id, for: kernels, facts: facts, options: options)
    case .unbuild: Planner.unbuild(id, for: kernels, facts: facts, options: options)
    case .remove: Planner.remove(id, for: kernels, facts: facts, options: options)
    default: Planner.add(id, facts: facts, options: options)
    }
  }

  /// Notes that a package adds a module; on a removal, tells whether the same upgrade has added it anew.
  private func isHalfOfAnUpgrade(_ id: ModuleID) async throws -> Bool {
    let upgrade = SafeUpgrade(of: id, in: layout, host: host)
    switch action {
    case .add where !arguments.isDryRun: try await upgrade.begin()
    case .remove:
      if try await upgrade.end(isDryRun: arguments.isDryRun) {
        narrator.warn("\(id) stays: it was added anew by the same package upgrade")
        return true
      }
    default: break
    }
    return false
  }
}

extension ActionRunner {
  /// Makes the key and the certificate with which modules are signed; those that are there stay.
  func generateKeys() async throws -> ExitStatus {
    let kernel = try onlyKernel()
    let facts = try await facts([], [kernel])
    let plan = try Planner.makeKeys(for: kernel, facts: facts)
    guard let keys = facts.kernels[kernel]?.signing?.keys else { return .success }
    if plan.isEmpty {
      host.console.print(
        "  -> \(keys.keyName): is there, with the certificate \(keys.certificate); both stay")
      return .success
    }
    if !arguments.isDryRun { try checkWritable(FilePath(keys.key).removingLastComponent()) }
    return try await carryOut(plan)
  }
}

extension ActionRunner {
  /// Reads modules from directories and tarballs.
  var importer: ModuleImporter { ModuleImporter(snapshot) }

  /// The kernel for which the dkms.conf of such a module is read.
  func importKernel() throws -> Kernel {
    guard let kernel = try namedKernels().first else { throw UsageError.exactlyOneKernel(action) }
    return kernel
  }

  /// Registers the module of a tarball or a directory, with what was built from it.
  func loadTarball() async throws -> ExitStatus {
    guard let path = arguments.importPath else { throw UsageError.noArchive }
    try checkAccess()
    let kernel = try importKernel()
    let module = try await importer.module(at: path, for: kernel)
    let facts = try await facts([module.id], [kernel], origin: module.origin)
    let plan = Planner.load(module.id, facts: facts, options: options)
    remarkOnDeprecations(of: plan, facts)
    let status = try await carryOut(plan)
    module.discard()
    return status
  }

  /// Writes a module to a tarball.
  func makeTarball() async throws -> ExitStatus {
    let id = try module()
    let facts = try await facts([], [])
    let kernels = arguments.isAll ? facts.tree[id]?.builds.map(\.kernel) ?? [] : try namedKernels()
    let file = layout.tarball(id, kernels, arguments.contents, named: arguments.archive)
    return try await carryOut(
      Planner.archive(
        id, for: kernels, contents: arguments.contents, file: file.string, facts: facts, options: options))
  }
}
