// SPDX-License-Identifier: GPL-2.0-or-later

/// What a plan after a transaction depends on besides the facts; a record of the plan must keep all of it.
public struct PlanningOptions: Codable, Hashable, Sendable {
  /// Whether anything new is installed; `/etc/dkms/no-autoinstall` forbids it.
  public var installs: Bool
  /// Whether obstacles are overlooked.
  public var isForced: Bool
  /// Whether modules are installed though the kernel has newer ones.
  public var overridesVersions: Bool
  /// Modules for which packages ask the same.
  public var forcedModules: ForcedModules
  /// Whether depmod is left to the caller.
  public var skipsDepmod: Bool
  /// Whether modules of the running kernel are loaded.
  public var probesModules: Bool
  /// The administrator's command that follows.
  public var postTransaction: KernelText?

  /// Takes the options of a call that matter for planning.
  public init(_ options: BuildOptions, installs: Bool = true) {
    self.installs = installs
    isForced = options.isForced
    overridesVersions = options.overridesVersions
    forcedModules = options.forcedModules
    skipsDepmod = options.skipsDepmod
    probesModules = options.probesModules
    postTransaction = options.postTransaction
  }

  /// Options that make the same plans.
  public var buildOptions: BuildOptions {
    var options = BuildOptions()
    options.isForced = isForced
    options.overridesVersions = overridesVersions
    options.forcedModules = forcedModules
    options.skipsDepmod = skipsDepmod
    options.probesModules = probesModules
    options.postTransaction = postTransaction
    return options
  }
}
