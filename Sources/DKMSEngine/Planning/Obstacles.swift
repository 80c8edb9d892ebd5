// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// Why a kernel cannot have a module: the one rule that planner, verdict, status and doctor share.
public struct Obstacles: Sendable {
  private let facts: Facts
  private let isForced: Bool

  /// Judges by facts; `isForced` says whether to overlook the obstacles that `--force` overcomes.
  public init(_ facts: Facts, isForced: Bool = false) {
    self.facts = facts
    self.isForced = isForced
  }

  /// The first thing in the way of a module that is not installed; nil where nothing is.
  public func first(to id: ModuleID, for kernel: Kernel) -> DKMSError? {
    registration(of: id) ?? building(id, for: kernel) ?? dependencies(of: id, for: kernel)
  }

  /// What is wrong with how a module is registered.
  public func registration(of id: ModuleID) -> DKMSError? {
    guard let record = facts.tree[id], record.isBroken else { return nil }
    return .moduleBroken(id, link: record.source ?? "its source link")
  }

  /// The error that others than root can change what is run for a module, where the administrator forbids that.
  public func trust(in id: ModuleID) -> DKMSError? {
    guard let trust = facts.trust, trust.policy == .strict else { return nil }
    let exposures = trust.exposures(of: id)
    return exposures.isEmpty ? nil : .untrusted(subject: "\(id)", exposures)
  }

  /// What keeps a registered module from being built.
  public func building(_ id: ModuleID, for kernel: Kernel) -> DKMSError? {
    if let failedLook = facts.kernels[kernel]?.failedLook { return failedLook }
    if let error = trust(in: id) { return error }
    switch facts.configurations[id]?[kernel] {
    case nil: return nil
    case .unreadable(let error)?: return error
    case .read(let configuration)?:
      if let reason = configuration.exclusion { return .excluded(id, kernel, reason: reason) }
    }
    guard let known = facts.kernels[kernel] else { return nil }
    guard known.hasHeaders else {
      return known.headersMissing(for: kernel)
    }
    return isForced ? nil : known.toolchainError
  }

  /// The modules that BUILD_DEPENDS names and that the kernel lacks.
  private func dependencies(of id: ModuleID, for kernel: Kernel) -> DKMSError? {
    guard case .read(let configuration)? = facts.configurations[id]?[kernel] else { return nil }
    let missing = configuration.buildDepends.filter {
      facts.tree.installedVersion(of: $0, for: kernel) == nil
    }
    return missing.isEmpty ? nil : facts.dependenciesMissing(missing, of: id, kernel)
  }

  /// What the kernel's own modules say against installing a built one.
  ///
  /// - Parameters:
  ///   - id: The module version.
  ///   - kernel: The kernel.
  ///   - overrules: Whether the caller, or a package, wants it installed whatever the kernel has.
  /// - Returns: Why what the kernel has of the module's names stays in its place; nil where something goes in.
  public func kernelsOwn(insteadOf id: ModuleID, for kernel: Kernel, overrules: Bool) -> DKMSError? {
    guard !overrules, case .read(let configuration)? = facts.configurations[id]?[kernel] else { return nil }
    let competitions = facts.competitions[id]?[kernel] ?? []
    let reasons = configuration.modules.map { module in
      competitions.first { $0.name == module.destinationName }?.refusal
    }
    guard !reasons.isEmpty, !reasons.contains(nil) else { return nil }
    return .nothingInstalled(id, kernel, reasons: reasons.compactMap { $0 })
  }
}

extension KernelFacts {
  /// The error that a kernel has no headers.
  package func headersMissing(for kernel: Kernel) -> DKMSError {
    .headersMissing(kernel, directory: headersDirectory, package: headersPackage, others: strayHeaders)
  }
}

extension Facts {
  /// The error that a kernel lacks modules that another one needs, of which some may be registered.
  func dependenciesMissing(_ names: [String], of id: ModuleID, _ kernel: Kernel) -> DKMSError {
    let registered = tree.newestVersions.filter { names.contains($0.name) }
    return .dependenciesMissing(id, kernel, names: names, registered: registered.isEmpty ? nil : registered)
  }
}
