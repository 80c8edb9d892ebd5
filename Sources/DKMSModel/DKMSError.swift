// SPDX-License-Identifier: GPL-2.0-or-later

/// Everything that can go wrong with a module, a kernel or the trees.
public enum DKMSError: Error, Codable, Hashable, Sendable {
  /// A name that cannot be the name of one directory.
  case invalidName(NameKind, value: String, problem: String)
  /// Others than root can change what would be run for this module, or as this file.
  case untrusted(subject: String, [Exposure])
  /// The module's source directory does not exist.
  case sourceMissing(ModuleID, directory: String)
  /// The directory has no dkms.conf.
  case configurationMissing(path: String)
  /// The dkms.conf could not be evaluated: bash refused it, or it did not end in time.
  case configurationUnreadable(path: String, detail: String)
  /// The user whose rights the dkms.conf runs with may not read it.
  case configurationForbidden(path: String, user: String)
  /// The dkms.conf is no bash.
  case configurationMalformed(path: String, detail: String)
  /// The dkms.conf was evaluated and says something impossible.
  case configurationInvalid(path: String, problems: [String])
  /// The module is registered already.
  case alreadyAdded(ModuleID)
  /// The module is not registered.
  case notAdded(ModuleID)
  /// No version of the module is registered.
  case nameNotAdded(String)
  /// The module's `source` link is missing or leads nowhere.
  case moduleBroken(ModuleID, link: String)
  /// The source directory holds nothing to build.
  case sourceEmpty(ModuleID, directory: String)
  /// The kernel has no module directory.
  case kernelMissing(KernelRelease, directory: String)
  /// The headers of the kernel are not installed; the package that holds them, where known, and the kernels that it
  /// holds headers for instead, if any.
  case headersMissing(Kernel, directory: String, package: String?, others: [KernelRelease]? = nil)
  /// The program that compiles or links for this kernel is not installed; the packages that hold it.
  case compilerMissing(Kernel, program: String, packages: String)
  /// The dkms.conf excludes this kernel.
  case excluded(ModuleID, Kernel, reason: String)
  /// Modules named by BUILD_DEPENDS are not installed for the kernel; those of them that are registered.
  case dependenciesMissing(ModuleID, Kernel, names: [String], registered: [ModuleID]? = nil)
  /// A patch of the dkms.conf leads out of the source.
  case patchOutside(ModuleID, patch: String)
  /// A patch of the dkms.conf is not there.
  case patchMissing(ModuleID, patch: String, directory: String)
  /// A patch did not apply.
  case patchFailed(ModuleID, Kernel, patch: String, log: String)
  /// The build command failed; the first error line of its log, where one was found.
  case buildFailed(ModuleID, Kernel, firstError: String?, log: String)
  /// The build command failed because of what is wrong with the kernel's headers; the package that holds them, where
  /// known.
  case headersDamaged(ModuleID, Kernel, problem: String, package: String?, log: String)
  /// The build, or a patch or script of it, printed nothing for too long and was stopped.
  case buildSilent(ModuleID, Kernel, limit: Duration, log: String)
  /// A command of the build wanted more than it may have, and was stopped.
  case buildStopped(ModuleID, Kernel, BuildLimit, log: String)
  /// The build command ended well, but this file is not there; the first error line of its log, if any.
  case moduleNotProduced(ModuleID, Kernel, file: String, firstError: String?, log: String)
  /// The module carries another kernel's version magic.
  case vermagicMismatch(ModuleID, Kernel, file: String, found: String, log: String)
  /// The kernel loads no module without a signature, and this one cannot be signed.
  case notSigned(ModuleID, Kernel, SigningProblem)
  /// There is nothing to sign modules with.
  case keysUnavailable(SigningProblem)
  /// A script of the dkms.conf failed; the first error line of its log, where it has one.
  case scriptFailed(ModuleID, script: ScriptKind, status: Int32, firstError: String? = nil, log: String?)
  /// A script of the dkms.conf printed nothing for too long and was stopped.
  case scriptSilent(ModuleID, script: ScriptKind, limit: Duration)
  /// What configures a module is no longer what the plan was made from.
  case changedMeanwhile(ModuleID, source: String)
  /// Another run has changed what this one was about to, since the plan was made; who it was, where that is known.
  case overtaken(ModuleID, Kernel?, Overtaking, by: String?)
  /// A built module file is missing from the tree.
  case productIncomplete(ModuleID, Kernel, file: String)
  /// No module of the package may replace what the kernel has.
  case nothingInstalled(ModuleID, Kernel, reasons: [String])
  /// depmod failed.
  case depmodFailed(KernelRelease, detail: String)
  /// A tarball does not exist.
  case tarballMissing(path: String)
  /// A tarball is damaged, or holds what must not be unpacked.
  case tarballUnusable(path: String, reason: String)
  /// A tarball has no dkms.conf in it.
  case tarballWithoutConfiguration(path: String)
  /// A tarball of built modules lacks the dkms.conf that says what they are.
  case tarballWithoutModule(path: String)
  /// The module of a tarball is registered already.
  case tarballKnown(ModuleID)
  /// A directory that was named as a source has no dkms.conf.
  case sourceWithoutConfiguration(directory: String)
  /// The directory in which a tarball is to be made cannot be written to.
  case tarballNotWritable(directory: String, reason: String)
  /// A tarball could not be made.
  case tarballFailed(path: String, reason: String)
  /// The module is not built for the kernel; nil for any.
  case notBuilt(ModuleID, Kernel?)
  /// Pacman's database does not tell any more what a package owns, and this command lets pacman write it anew.
  case fileListDamaged(package: String, reason: String, remedy: String)
  enum FileListDamagedCodingKeys: String, CodingKey {
    case package, reason
    case remedy = "command"
  }
  /// A plan would take the last modules from a kernel, or the kernel itself, though nothing names them.
  case removalUnasked(KernelRelease, modules: [ModuleID])
  /// libarchive cannot be loaded.
  case libraryMissing(package: String, detail: String)
  /// A file operation or a program failed.
  case system(operation: String, subject: String, reason: String)
}

/// What another run has done to a module meanwhile.
public enum Overtaking: String, Codable, Hashable, Sendable, CaseIterable {
  /// It is no longer registered.
  case removed
  /// It is no longer built.
  case unbuilt
  /// It is no longer installed.
  case uninstalled
  /// It is built.
  case built
  /// It is installed.
  case installed

  /// Whether something is gone: whoever wanted it gone has nothing left to do.
  public var isUndoing: Bool {
    switch self {
    case .removed, .unbuilt, .uninstalled: true
    case .built, .installed: false
    }
  }
}

extension DKMSError {
  /// The log that tells more, where there is one.
  public var log: String? {
    switch self {
    case .patchFailed(_, _, _, let log), .buildFailed(_, _, _, let log), .buildSilent(_, _, _, let log),
      .buildStopped(_, _, _, let log), .moduleNotProduced(_, _, _, _, let log),
      .vermagicMismatch(_, _, _, _, let log), .headersDamaged(_, _, _, _, let log):
      log
    case .scriptFailed(_, _, _, _, let log): log
    default: nil
    }
  }
}

/// What a build may not go beyond.
public enum BuildLimit: Codable, Hashable, Sendable {
  /// How long one of its commands may take.
  case time(Duration)
  /// The memory that it may use, in bytes.
  case memory(Int)
  /// How many processes and threads it may have at once.
  case processes(Int)
}

/// What `dkms` tells its caller.
///
/// The numbers are the reference's; scripts read them.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
  /// The number handed to the kernel at exit.
  public let rawValue: Int32

  /// Takes a number as it is.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  private init(_ rawValue: Int32) { self.rawValue = rawValue }

  /// Done, or nothing to do.
  public static let success = Self(0)
  /// Not allowed, or an argument is missing.
  public static let refused = Self(1)
  /// Unknown option, or the source directory is missing.
  public static let usage = Self(2)
  /// The module is not in the tree, or is there already.
  public static let wrongState = Self(3)
  /// A broken module, a missing dkms.conf, a second action.
  public static let broken = Self(4)
  /// A patch is missing, or `--all` does not go with the action.
  public static let unusable = Self(5)
  /// A patch, an installation or depmod failed.
  public static let installFailed = Self(6)
  /// The build ended well without a module it promises.
  public static let moduleNotProduced = Self(7)
  /// A dkms.conf that says something impossible.
  public static let badConfiguration = Self(8)
  /// A source directory without dkms.conf, or a tarball that cannot be written.
  public static let sourceUnusable = Self(9)
  /// The build command failed.
  public static let buildFailed = Self(10)
  /// At least one module of `autoinstall` failed.
  public static let autoinstallFailed = Self(11)
  /// No architecture is known.
  public static let noArchitecture = Self(12)
  /// A module that this one needs is not installed.
  public static let missingDependency = Self(13)
  /// Modules could not be cleared away for a kernel that comes or goes.
  public static let kernelActionFailed = Self(14)
  /// The name of a kernel is empty.
  public static let noKernel = Self(16)
  /// The kernel's headers are not installed.
  public static let headersMissing = Self(21)
  /// The dkms.conf excludes this kernel.
  public static let excluded = Self(77)
  /// The module's PRE_INSTALL script refused.
  public static let preInstallFailed = Self(101)
  /// A signal stopped it; the number is the one a shell would give.
  public static let interrupted = Self(130)
}
