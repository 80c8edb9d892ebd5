// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel

extension ActionRunner {
  /// Installs the newest version of each module that wants it: `autoinstall` and `kernel_postinst`.
  func autoinstall() async throws -> ExitStatus {
    if action == .afterKernelInstall { try checkExactlyOneKernel() }
    let kernel = try onlyKernel()
    try checkAccess()
    guard allowsAutoinstall else {
      narrator.warn("nothing is installed: \(layout.configurationDirectory)/no-autoinstall forbids it")
      return .success
    }
    let tree = try tree()
    let facts = try await facts(tree.newestVersions, [kernel])
    let plan = Planner.autoinstall(for: [kernel], facts: facts, options: options)
    remarkOnDeprecations(of: plan, facts)
    let isFailure = { (error: DKMSError) in
      error.isFailure && !error.isOfBrokenModule && !error.isOnlyWaiting(in: tree)
    }
    return try await carryOut(plan, isFailure: isFailure) { errors in
      let failures = errors.filter(isFailure)
      if failures.isEmpty { return .success }
      let onlyHeaders = failures.allSatisfy { $0.exitStatus == .headersMissing }
      return onlyHeaders ? .headersMissing : .autoinstallFailed
    }
  }

  /// Installs for a kernel what another kernel has.
  func match() async throws -> ExitStatus {
    let kernel = try onlyKernel()
    try checkAccess()
    guard let name = arguments.templateKernel else { throw UsageError.noTemplateKernel }
    guard name != kernel.release.description else { throw UsageError.templateIsKernel(name) }
    let template = try Kernel(release: KernelRelease(name), architecture: kernel.architecture)
    let tree = try tree()
    if !arguments.module.isEmpty, !tree.modules.contains(where: { $0.id.name == arguments.module }) {
      throw DKMSError.nameNotAdded(arguments.module)
    }
    let modules = tree.modules.filter { record in
      record.build(for: template)?.isInstalled == true
        && (arguments.module.isEmpty || record.id.name == arguments.module)
        && (arguments.version.isEmpty || record.id.version == arguments.version)
    }.map(\.id)
    let facts = try await facts(modules, [kernel])
    if !modules.isEmpty, let known = facts.kernels[kernel], !known.hasHeaders {
      throw known.headersMissing(for: kernel)
    }
    let plan = Planner.match(modules, for: kernel, facts: facts, options: options)
    remarkOnDeprecations(of: plan, facts)
    return try await carryOut(plan)
  }

  /// Forgets what was built for a kernel that is reinstalled or removed.
  func clearKernel(onlyAutoinstalled: Bool) async throws -> ExitStatus {
    try checkExactlyOneKernel()
    let kernel = try onlyKernel()
    try checkAccess()
    let modules = try tree().modules.filter { $0.build(for: kernel) != nil }.map(\.id)
    let facts = try await facts(modules, [kernel])
    let plan = Planner.clear(
      modules, of: kernel, onlyAutoinstalled: onlyAutoinstalled, facts: facts, options: options)
    return try await carryOut(plan, status: { $0.isEmpty ? .success : .kernelActionFailed })
  }

  private func checkExactlyOneKernel() throws {
    if arguments.isAll { throw UsageError.allNotSupported(action) }
    guard arguments.kernels.count == 1 else { throw UsageError.exactlyOneKernel(action) }
  }
}

extension DKMSError {
  /// Whether a module has lost its source: it cannot be built, and scripts count on success for the others.
  fileprivate var isOfBrokenModule: Bool { if case .moduleBroken = self { true } else { false } }

  /// Whether all that is missing are modules that are not registered yet; registering them triggers this again.
  fileprivate func isOnlyWaiting(in tree: TreeState) -> Bool {
    guard case .dependenciesMissing(_, _, let names, _) = self else { return false }
    return !tree.modules.contains { names.contains($0.id.name) }
  }
}
