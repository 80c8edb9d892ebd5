// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
internal import DKMSModel
internal import Initramfs

extension KernelVerdict {
  /// Judges a kernel by what there is of its modules and by what the administrator calls important.
  ///
  /// - Parameters:
  ///   - condition: What there is.
  ///   - configuration: What matters.
  package init(_ condition: KernelCondition, by configuration: SuiteConfiguration) {
    if let failedLook = condition.failedLook {
      self.init(
        kernel: condition.kernel, isRunning: condition.isRunning,
        findings: [Finding(failedLook, at: condition.kernel)])
      return
    }
    let opinions = condition.modules.map {
      Judge(condition: condition, module: $0, configuration: configuration)
    }
    // Every fix of a file runs depmod too.
    let isStale = condition.hasStaleDependencies && opinions.allSatisfy(\.troubledFiles.isEmpty)
    let isCritical = opinions.contains { $0.module.installed != nil && $0.isCritical }
    let images = condition.images.flatMap { image in
      let hasSubstitute = condition.images.contains { !$0.isUnusable && !$0.isRefused }
      return ImageJudge(
        image: image, condition: condition, configuration: configuration, hasSubstitute: hasSubstitute
      ).findings
    }
    var findings = opinions.flatMap(\.findings)
    findings += condition.unreadSources.compactMap { Finding($0, configuration) }
    if isStale { findings.append(Finding(staleDependenciesOf: condition, isCritical: isCritical)) }
    findings += condition.strays.map { Finding($0) } + images
    self.init(
      kernel: condition.kernel, isRunning: condition.isRunning, findings: findings,
      skips: opinions.flatMap(\.skips), images: condition.images,
      modulesInPlace: opinions.count { $0.module.installed != nil && $0.findings.isEmpty })
  }
}

/// Judges one module of a kernel.
private struct Judge {
  let condition: KernelCondition
  let module: ModuleCondition
  let configuration: SuiteConfiguration

  private var id: ModuleID { module.id }
  private var release: KernelRelease { condition.kernel.release }
  private var install: String { "dkms install \(id) -k \(release)" }

  var findings: [Finding] {
    guard let installed = module.installed else { return module.isUnrecorded ? lostRecord : absence }
    return succession(of: installed) + rebirth(of: installed) + troubledFiles
  }

  var skips: [KernelVerdict.Skip] {
    if case .excluded(_, _, let reason)? = module.obstacle { return [KernelVerdict.Skip(id, reason)] }
    if module.installed == nil {
      return isLeftToTheKernel ? [KernelVerdict.Skip(id, "the kernel's own modules stay")] : []
    }
    return module.files.compactMap { file in
      file.kernelsOwn.map { KernelVerdict.Skip(id, "the kernel's own \($0) stays") }
    }
  }

  // MARK: The module as a whole

  private var absence: [Finding] {
    if let obstacle = module.obstacle {
      if case .excluded = obstacle { return [] }
      return finding(.unusable, reason(of: obstacle), cause: obstacle.cause, remedy: remedy(for: obstacle))
    }
    if let failure = module.failure {
      return finding(.unusable, failure.words + origin, log: failure.log, remedy: cure)
    }
    if isLeftToTheKernel { return [] }
    if let source = module.unregisteredSource {
      return finding(
        .unusable, "it is neither registered nor installed, though its source is in \(source)",
        remedy: Self.reconcile)
    }
    return finding(
      .unusable, module.isBuilt ? "it is built but not installed" : "it is not installed", remedy: install)
  }

  /// Files that are in place, though the tree knows of no build.
  private var lostRecord: [Finding] {
    let trouble = troubles(module.files).map(\.trouble).first
    let names = module.files.filter(\.exists).map { "\($0.name).ko" }.joined(separator: ", ")
    let state =
      module.unregisteredSource.map { "it is not registered, though its source is in \($0)" }
      ?? "no build of it is on record"
    let place =
      switch trouble {
      case nil: "; \(names) works on, but nothing looks after it"
      case .missing?: "; only \(names) is there"
      case let trouble?: "; \(names): \(trouble.reason)"
      }
    return finding(trouble?.effect ?? .impaired, state + place, remedy: Self.reconcile)
  }

  private static let reconcile = "alpm-dkms reconcile"

  /// What is known of the source of a module that cannot be built.
  private var origin: String { module.origin.map { "; \($0.words)" } ?? "" }

  /// What helps a module that cannot be built: the same command alone does not.
  private var cure: String { module.origin?.remedy(retrying: retry) ?? "to try again: \(retry)" }

  /// What tries again what has failed: with an older build there, an installation alone would build nothing.
  private var retry: String {
    module.isBuilt && module.failure?.log != nil ? rebuild(of: id) : install
  }

  private func rebuild(of id: ModuleID) -> String {
    "dkms build --force \(id) -k \(release) && dkms install --force \(id) -k \(release)"
  }

  /// An installation leaves the kernel's own module in place if it is not older.
  private var isLeftToTheKernel: Bool {
    module.isBuilt && module.obstacle == nil && module.failure == nil && !module.files.isEmpty
      && module.files.allSatisfy { $0.kernelsOwn != nil }
  }

  /// An older build that works in the place of the one that should be there.
  private func succession(of installed: ModuleID) -> [Finding] {
    let stays = installed == id ? "an older build stays installed" : "\(installed) stays installed"
    if let failure = module.failure {
      return finding(
        .impaired, "\(failure.words); \(stays)\(origin)", log: failure.log, remedy: cure)
    }
    guard module.usesKeptSource || module.unregisteredSource != nil else { return [] }
    if installed == id {
      return finding(
        .impaired, "its source is gone, and nothing new can take its place; it stays installed",
        cause: .sourceMissing, remedy: nil)
    }
    // If an older version is installed while a newer one is registered, too, someone chose it.
    if let obstacle = module.obstacle {
      if case .excluded = obstacle { return [] }
      return finding(
        .impaired, "\(reason(of: obstacle)); \(stays)", cause: obstacle.cause, remedy: remedy(for: obstacle))
    }
    if let source = module.unregisteredSource {
      return finding(
        .impaired, "it is not registered, though its source is in \(source); \(stays)",
        remedy: Self.reconcile)
    }
    return finding(.impaired, "it is not installed; \(stays)", remedy: install)
  }

  /// A kernel that was rebuilt under the same release after the module was built for it.
  private func rebirth(of installed: ModuleID) -> [Finding] {
    guard module.isForAnotherKernel else { return [] }
    return finding(
      .impaired, "it was built for another kernel of this release", cause: .otherKernel,
      remedy: rebuild(of: installed))
  }

  private func remedy(for obstacle: DKMSError) -> String? {
    obstacle.remedy(reinstalling: module.origin?.reinstallation)
  }

  private func reason(of obstacle: DKMSError) -> String {
    if case .headersMissing(_, _, let package, let others) = obstacle {
      return "it cannot be built: the headers of this kernel are missing"
        + DKMSError.remark(onHeadersFor: others, package)
    }
    return "\(obstacle)"
  }

  private func finding(
    _ effect: Finding.Effect, _ reason: String, cause: Finding.Cause = .module, log: String? = nil,
    remedy: String?
  ) -> [Finding] {
    guard let weight = weight(of: module.moduleNames) else { return [] }
    return [Finding("\(id)", weight, effect, reason, cause: cause, log: log, remedy: remedy)]
  }

  var isCritical: Bool { weight(of: module.moduleNames) == .critical }

  /// The greatest weight among kernel modules of the package; nil where all are ignored.
  private func weight(of names: [String]) -> Finding.Weight? {
    guard !names.isEmpty else { return configuration.weight(of: id.name) }
    let weights = Set(names.compactMap { configuration.weight(of: id.name, module: $0) })
    return [.critical, .normal, .optional].first(where: weights.contains)
  }

  // MARK: Its files

  private func troubles(_ files: [ModuleFileCondition]) -> [(trouble: FileTrouble, name: String)] {
    files.compactMap { file in FileTrouble(file, in: condition).map { ($0, file.name) } }
  }

  var troubledFiles: [Finding] {
    guard let installed = module.installed else { return [] }
    let troubles = troubles(module.files)
    var order: [FileTrouble] = []
    for (trouble, _) in troubles where !order.contains(trouble) { order.append(trouble) }
    return order.compactMap { trouble in
      let names = troubles.filter { $0.trouble == trouble }.map(\.name)
      guard let weight = weight(of: names) else { return nil }
      let files = names.map { "\($0).ko" }.joined(separator: ", ")
      return Finding(
        "\(installed)", weight, trouble.effect, "\(trouble.reason): \(files)",
        cause: trouble == .unlisted ? .dependencies : .module, remedy: trouble.remedy(for: installed, release)
      )
    }
  }
}

extension Finding {
  fileprivate init(_ failedLook: DKMSError, at kernel: Kernel) {
    self.init(
      "modules of \(kernel.release)", .normal, .unknown, "nothing is known about them: \(failedLook)",
      cause: .failedLook, remedy: nil)
  }

  /// Its name tells what may be missing; nil where that does not matter.
  fileprivate init?(_ source: UnreadSource, _ configuration: SuiteConfiguration) {
    let weights = source.likelyNames.map { configuration.weight(of: $0) }
    let known: [Finding.Weight] = weights.compactMap { $0 }
    let isIgnored = known.count < weights.count && !known.contains(.critical)
    guard !isIgnored, let weight = [.critical, .optional, .normal].first(where: known.contains) else {
      return nil
    }
    self.init(
      source.directory, weight, .unusable, source.reason,
      cause: source.error == nil ? .sourceMissing : .configuration, remedy: source.remedy)
  }

  fileprivate init(_ stray: StrayKernel) {
    self.init(
      stray.path, .critical, .unusable, stray.reason, cause: .otherKernel, remedy: stray.remedy)
  }

  /// Records may not say what is wrong; they knew of nothing else than age.
  fileprivate init(staleDependenciesOf condition: KernelCondition, isCritical: Bool) {
    let flaw = condition.indexFlaw ?? .old(file: "modules.dep")
    self.init(
      flaw.file, isCritical ? .critical : .normal, flaw.hidesModules ? .unusable : .impaired, flaw.words,
      cause: .dependencies, remedy: "depmod \(condition.kernel.release)")
  }
}

extension FailedBuild {
  /// What was said when it failed, or else what its log tells.
  fileprivate var words: String { reason ?? "its build failed" + (firstError.map { ": \($0)" } ?? "") }
}

extension DKMSError {
  fileprivate var cause: Finding.Cause {
    switch self {
    case .headersMissing: .headersMissing
    case .moduleBroken: .sourceMissing
    case .untrusted: .untrusted
    case .configurationMissing, .configurationUnreadable, .configurationForbidden, .configurationMalformed,
      .configurationInvalid:
      .configuration
    default: .module
    }
  }
}
