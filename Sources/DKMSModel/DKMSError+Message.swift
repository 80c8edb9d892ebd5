// SPDX-License-Identifier: GPL-2.0-or-later

extension DKMSError: CustomStringConvertible {
  /// What happened to what, and why; one line.
  public var description: String {
    switch self {
    case .invalidName(let kind, let value, let problem):
      "'\(value.withVisibleControls)' cannot be a \(kind.rawValue): \(problem)"
    case .untrusted(let subject, let exposures):
      "\(subject) is not trusted: \(Self.reasons(exposures))"
    case .sourceMissing(let id, let directory):
      "\(id): the source directory \(directory) does not exist"
    case .configurationMissing(let path):
      "\(path) does not exist"
    case .configurationUnreadable(let path, let detail):
      detail == Self.noPermission ? "\(path) is not readable by you" : "\(path) cannot be read: \(detail)"
    case .configurationForbidden(let path, let user):
      "\(path) cannot be read: \(user), who runs it, may not read it"
    case .configurationMalformed(let path, let detail):
      "\(path) is not bash: \(detail)"
    case .configurationInvalid(let path, let problems):
      "\(path) is not valid: \(problems.joined(separator: "; "))"
    case .alreadyAdded(let id):
      "\(id) is already in the tree"
    case .notAdded(let id):
      "\(id) is not in the tree"
    case .nameNotAdded(let name):
      "no version of \(name) is in the tree"
    case .moduleBroken(let id, let link):
      "\(id) is broken: \(link) is missing or leads nowhere"
    case .sourceEmpty(let id, let directory):
      "\(id): \(directory) holds nothing to build"
    case .kernelMissing(let release, let directory):
      "kernel \(release) is not installed: \(directory) does not exist"
    case .headersMissing(let kernel, let directory, let package, let others):
      "the headers of kernel \(kernel.release) are missing at \(directory)"
        + Self.remark(onHeadersFor: others, package)
    case .compilerMissing(let kernel, let program, _):
      "building modules for kernel \(kernel.release) needs \(program), which is not installed"
    case .excluded(let id, let kernel, let reason):
      "\(id) is not for kernel \(kernel.release): \(reason)"
    case .dependenciesMissing(let id, let kernel, let names, _):
      "\(id) needs \(names.joined(separator: ", ")), not installed for kernel \(kernel.release)"
    case .patchOutside(let id, let patch):
      "\(id): the patch '\(patch)' lies outside the source"
    case .patchMissing(let id, let patch, let directory):
      "\(id): the patch '\(patch)' is not in \(directory)"
    case .patchFailed(let id, let kernel, let patch, _):
      "\(id) for \(kernel.release): the patch '\(patch)' does not apply"
    case .headersDamaged(let id, let kernel, let problem, _, _):
      "\(id) for \(kernel.release): the build failed because the kernel's headers are damaged: \(problem)"
    case .buildFailed(let id, let kernel, let firstError, _):
      "\(id) for \(kernel.release): the build failed" + detail(firstError)
    case .buildSilent(let id, let kernel, let limit, _):
      "\(id) for \(kernel.release): the build was stopped because it had printed nothing for \(limit.inWords)"
    case .buildStopped(let id, let kernel, let limit, _):
      "\(id) for \(kernel.release): the build was stopped because it \(limit.breach)"
    case .moduleNotProduced(let id, let kernel, let file, let firstError, _):
      "\(id) for \(kernel.release): the build ended without \(file)" + detail(firstError)
    case .vermagicMismatch(let id, let kernel, let file, let found, _):
      """
      \(id) for \(kernel.release): \(file) was built for kernel \(found); its Makefile asks for the running kernel, \
      as uname -r does, or names one of its own
      """
    case .notSigned(let id, let kernel, let problem):
      "\(id) for \(kernel.release): not signed, but that kernel loads only signed modules: \(problem)"
    case .keysUnavailable(let problem):
      "there is nothing to sign modules with: \(problem)"
    case .scriptFailed(let id, let script, let status, let firstError, _):
      "\(id): its \(script.rawValue) script ended with status \(status)" + detail(firstError)
    case .scriptSilent(let id, let script, let limit):
      "\(id): its \(script.rawValue) script was stopped because it had printed nothing for \(limit.inWords)"
    case .changedMeanwhile(let id, let source):
      "\(id): the dkms.conf in \(source), or a file that overrides it, changed while this was at work"
    case .overtaken(let id, let kernel, let change, let rival):
      "\(id)\(kernel.map { " for \($0.release)" } ?? "")\(change.words(by: rival ?? "another run"))"
    case .productIncomplete(let id, let kernel, let file):
      "\(id) for \(kernel.release): \(file) is missing from the tree"
    case .nothingInstalled(let id, let kernel, let reasons):
      "\(id) is not installed for \(kernel.release): \(reasons.joined(separator: "; "))"
    case .depmodFailed(let release, let detail):
      "depmod failed for kernel \(release): \(detail)"
    case .tarballMissing(let path):
      "\(path) does not exist"
    case .tarballUnusable(let path, let reason):
      "\(path) cannot be loaded: \(reason)"
    case .tarballWithoutConfiguration(let path):
      "\(path) cannot be loaded: there is no dkms.conf in it"
    case .tarballWithoutModule(let path):
      "\(path) cannot be loaded: neither dkms_source_tree nor dkms_binaries_only in it has a dkms.conf"
    case .tarballKnown(let id):
      "\(id) is already in the tree, so nothing was loaded"
    case .sourceWithoutConfiguration(let directory):
      "the directory \(directory) has no dkms.conf"
    case .tarballNotWritable(let directory, let reason):
      "no tarball can be made in \(directory): \(reason)"
    case .tarballFailed(let path, let reason):
      "\(path) could not be made: \(reason)"
    case .notBuilt(let id, let kernel?):
      "\(id) is not built for kernel \(kernel)"
    case .notBuilt(let id, nil):
      "\(id) is not built for any kernel"
    case .libraryMissing(let package, let detail):
      "\(package) is needed and cannot be loaded: \(detail)"
    case .fileListDamaged(let package, let reason, _):
      "pacman's list of the files of \(package) is damaged, so what no package seems to own may be its: \(reason)"
    case .removalUnasked(let release, let modules):
      modules.isEmpty
        ? "nothing is done, because this would have removed kernel \(release), which is installed"
        : """
        nothing is done, because this would have left kernel \(release) without any module, and nothing names \
        \(modules.map(\.description).joined(separator: ", "))
        """
    case .system(let operation, let subject, let reason):
      "cannot \(operation) \(subject): \(reason)"
    }
  }

  /// The first few of them; the doctor names all.
  private static func reasons(_ exposures: [Exposure]) -> String {
    let reasons = exposures.prefix(3).map(\.description).joined(separator: "; ")
    return exposures.count > 3 ? "\(reasons); and \(exposures.count - 3) more" : reasons
  }

  /// What it says of the build of a module, where the module and the kernel are named already.
  public func reason(of id: ModuleID, for kernel: Kernel) -> String {
    let words = "\(self)"
    let subjects = ["\(id) for \(kernel.release): ", "\(id): "]
    guard let subject = subjects.first(where: words.hasPrefix) else { return words }
    return String(words.dropFirst(subject.count))
  }

  /// What the system says of what this user may not do.
  package static let noPermission = "Permission denied"

  /// Whether it says that this user may not do what root may.
  package var isLackOfPermission: Bool {
    switch self {
    case .configurationUnreadable(_, let reason), .system(_, _, let reason),
      .tarballNotWritable(_, let reason):
      reason == Self.noPermission
    default: false
    }
  }

  private func detail(_ firstError: String?) -> String { firstError.map { ": \($0)" } ?? "" }

  /// Installs what a module needs, as far as that is registered, and the module after it.
  private static func remedy(
    _ id: ModuleID, _ kernel: Kernel, needing names: [String], of registered: [ModuleID]
  ) -> String {
    let unknown = names.filter { name in !registered.contains { $0.name == name } }
    let advice =
      unknown.isEmpty
      ? "" : "install the packages that hold the sources of \(unknown.joined(separator: " and ")), then: "
    let modules = registered.filter { names.contains($0.name) } + [id]
    return advice + modules.map { "dkms install \($0) -k \(kernel.release)" }.joined(separator: " && ")
  }

  /// What fixes it, as `Remedy` takes it apart: a command, words, or words, a colon and a command.
  public var remedy: String? {
    switch self {
    case .invalidName, .excluded, .patchOutside, .scriptFailed(_, _, _, _, log: nil), .tarballFailed, .system:
      nil
    case .untrusted(_, let exposures):
      exposures.map(\.remedy).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(
        separator: " && ")
    case .sourceMissing(let id, _):
      "install the package that holds \(id.sourceDirectoryName), or unpack its source there"
    case .configurationMissing, .configurationUnreadable, .configurationMalformed, .configurationInvalid,
      .patchMissing, .sourceEmpty:
      "fix the file, or reinstall the package that owns it"
    case .configurationForbidden(let path, _):
      "let everyone read the source, or set build-user = root in /etc/alpm-dkms.conf: "
        + "chmod -R a+rX \(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]).quotedForShell)"
    case .alreadyAdded(let id):
      "it need not be added again; what is built and installed of it: dkms status \(id)"
    case .notAdded(let id):
      "to register it, once its source is there: dkms add \(id)"
    case .nameNotAdded:
      "what is registered: dkms status"
    case .moduleBroken(let id, _):
      "put its source back, best by installing its package again; to do without the module: "
        + "dkms remove --force \(id) --all"
    case .kernelMissing:
      "install the kernel, or name one that is installed"
    case .headersMissing(_, _, let package?, let others) where others != nil:
      "pacman -Syu \(package.drop(suffix: "-headers")) \(package)"
    case .headersMissing(_, _, let package, _):
      package.map { "pacman -S \($0)" }
        ?? "install the headers package of this kernel, or name another kernel with -k"
    case .headersDamaged(_, _, _, let package, let log):
      package.map { "the log is \(log); to install the headers again: pacman -S \($0)" }
        ?? "the log is \(log); install the headers of this kernel again"
    case .compilerMissing(_, _, let packages):
      "pacman -S \(packages)"
    case .notSigned(_, _, let problem), .keysUnavailable(let problem):
      problem.remedy
    case .dependenciesMissing(let id, let kernel, let names, let registered):
      Self.remedy(id, kernel, needing: names, of: registered ?? [])
    case .patchFailed(_, _, _, let log), .buildFailed(_, _, _, let log),
      .moduleNotProduced(_, _, _, _, let log), .vermagicMismatch(_, _, _, _, let log),
      .scriptFailed(_, _, _, _, let log?):
      "the log is \(log)"
    case .buildSilent(_, _, _, let log):
      "the log is \(log); set a longer silence-limit in /etc/alpm-dkms.conf if it only takes long"
    case .buildStopped(_, _, let limit, let log):
      "the log is \(log); set a higher \(limit.key) in /etc/alpm-dkms.conf if it needs that"
    case .scriptSilent:
      "set a longer silence-limit in /etc/alpm-dkms.conf if it only takes long"
    case .changedMeanwhile, .overtaken:
      "run the same command again"
    case .productIncomplete(let id, let kernel, _):
      "dkms build --force \(id) -k \(kernel.release)"
    case .nothingInstalled(let id, let kernel, _):
      "dkms install --force \(id) -k \(kernel.release)"
    case .depmodFailed(let release, _):
      "depmod \(release)"
    case .tarballMissing, .tarballUnusable, .tarballWithoutConfiguration, .tarballWithoutModule:
      "name a tarball that mktarball has made, or one of a source with a dkms.conf"
    case .tarballKnown:
      "load it with --force, which replaces what is there"
    case .sourceWithoutConfiguration:
      "name the directory that holds the module's dkms.conf"
    case .tarballNotWritable:
      "name another place with --archive"
    case .notBuilt(let id, let kernel?):
      "dkms build \(id) -k \(kernel.release)"
    case .notBuilt(let id, nil):
      "ask for its source alone with --source-only, or build it first: dkms build \(id)"
    case .libraryMissing(let package, _):
      "pacman -S \(package)"
    case .fileListDamaged(_, _, let remedy):
      remedy
    case .removalUnasked(let release, let modules):
      modules.isEmpty
        ? nil
        : "if that is meant: "
          + modules.map { "dkms uninstall \($0) -k \(release)" }.joined(separator: " && ")
    }
  }

  /// Whether it only says that the kernel rightly goes without the module: the module is not for this kernel,
  /// or the kernel has its own module, which is not older.
  ///
  /// Hooks and verdicts treat it as a skip.
  public var isSkip: Bool {
    switch self {
    case .excluded, .nothingInstalled: true
    default: false
    }
  }

  /// The status with which `dkms` ends after this error.
  public var exitStatus: ExitStatus {
    switch self {
    case .invalidName, .configurationUnreadable, .configurationForbidden, .configurationInvalid, .sourceEmpty,
      .tarballKnown:
      .badConfiguration
    case .sourceMissing, .tarballMissing: .usage
    case .configurationMissing, .moduleBroken: .broken
    case .alreadyAdded, .notAdded, .nameNotAdded, .tarballUnusable, .tarballWithoutConfiguration:
      .wrongState
    case .patchOutside, .patchMissing: .unusable
    case .overtaken(_, _, .removed, _): .wrongState
    case .overtaken(_, _, .unbuilt, _): .installFailed
    case .kernelMissing, .patchFailed, .productIncomplete, .nothingInstalled, .depmodFailed,
      .tarballFailed, .notBuilt:
      .installFailed
    case .headersMissing: .headersMissing
    case .excluded: .excluded
    case .dependenciesMissing: .missingDependency
    case .buildFailed, .buildSilent, .buildStopped, .compilerMissing, .configurationMalformed,
      .headersDamaged:
      .buildFailed
    case .moduleNotProduced, .vermagicMismatch, .notSigned, .tarballWithoutModule: .moduleNotProduced
    case .sourceWithoutConfiguration, .tarballNotWritable: .sourceUnusable
    case .scriptFailed(_, .preInstall, _, _, _), .scriptSilent(_, .preInstall, _): .preInstallFailed
    case .scriptSilent: .buildFailed
    case .scriptFailed(_, _, let status, _, _): ExitStatus(rawValue: status)
    case .untrusted, .changedMeanwhile, .overtaken, .keysUnavailable, .libraryMissing, .fileListDamaged,
      .removalUnasked,
      .system:
      .refused
    }
  }
}

extension DKMSError {
  /// The remark that there are only headers for other kernels of this kind, which are not installed: the
  /// package of the headers and that of the kernel do not match.
  package static func remark(onHeadersFor others: [KernelRelease]?, _ package: String?) -> String {
    guard let others, let package else { return "" }
    return "; \(package) is installed for \(others.map(\.description).joined(separator: ", ")) instead"
  }
}

extension String {
  fileprivate func drop(suffix: String) -> Substring {
    hasSuffix(suffix) ? dropLast(suffix.count) : self[...]
  }
}

extension Overtaking {
  fileprivate func words(by rival: String) -> String {
    switch self {
    case .removed: " was removed meanwhile by \(rival)"
    case .unbuilt: ": its build was removed meanwhile by \(rival)"
    case .uninstalled: " was uninstalled meanwhile by \(rival)"
    case .built: " was built meanwhile by \(rival), so it stays registered"
    case .installed: " was installed meanwhile by \(rival), so its build stays"
    }
  }
}

extension BuildLimit {
  /// What a build has done that goes beyond it.
  fileprivate var breach: String {
    switch self {
    case .time(let limit): "had run for \(limit.inWords)"
    case .memory(let bytes): "needed more than \(bytes >> 20) MiB of memory"
    case .processes(let limit): "wanted more than \(limit) processes"
    }
  }

  /// The key that sets it.
  fileprivate var key: String {
    switch self {
    case .time: "time-limit"
    case .memory: "memory-limit"
    case .processes: "process-limit"
    }
  }
}
