// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

extension ActionRunner {
  /// The actions on one module: from `add` to `remove`.
  func changeModule() async throws -> ExitStatus {
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
    let facts = try await facts(try concerned(by: id, kernels), kernels, origin: origin)
    let plan = plan(id, kernels, facts)
    remarkOnDeprecations(of: plan, facts)
    return try await carryOut(plan, from: action == .install ? facts : nil)
  }

  func module() throws -> ModuleID {
    guard !arguments.module.isEmpty, !arguments.version.isEmpty else { throw UsageError.noModule(action) }
    return try ModuleID(name: arguments.module, version: arguments.version)
  }

  private var isUndoing: Bool { [.uninstall, .unbuild, .remove].contains(action) }

  private func checkState(of id: ModuleID, _ record: ModuleRecord?) throws {
    let broken = DKMSError.moduleBroken(id, link: layout.sourceLink(id).string)
    if isUndoing {
      guard let record else { throw DKMSError.notAdded(id) }
      // A module whose source is gone can always be removed; nothing else could be done with it.
      guard !record.isBroken || action == .remove else { throw broken }
    } else if action != .add, record?.isBroken == true {
      let hasSource = try onFiles { () throws(HostError) in try Files.isDirectory(layout.source(id)) }
      if !hasSource { throw broken }
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

  /// The modules whose configurations matter: what is built for the kernels may need the module.
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
    case .remove:
      // Removing it for a named kernel leaves it registered, so that the next kernel gets it again.
      Planner.remove(
        id, for: kernels, unregisters: arguments.kernels.isEmpty, facts: facts, options: options)
    default: Planner.add(id, facts: facts, options: options)
    }
  }

  /// Notes that a package adds a module; whether the removal that follows is of the package it replaces.
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
