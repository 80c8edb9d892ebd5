// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// What the caller or framework.conf sets for builds and installations.
public struct BuildOptions: Hashable, Sendable {
  /// How many jobs run at once; nil for as many as there are processors, 0 for no limit.
  public var jobs: Int?
  /// A dkms.conf to read in the place of the source's own.
  public var configurationFile: FilePath?
  /// Headers to build against in the place of the kernel's own.
  public var kernelSourceDirectory: FilePath?
  /// A kernel configuration to read in the place of the headers' own.
  public var kernelConfiguration: FilePath?
  /// `NAME=VALUE` pairs that are stronger than any dkms.conf.
  public var directives: [String] = []
  /// Go on in spite of a missing dependency, a script that refuses or a newer module.
  public var isForced = false
  /// Install a module though the kernel has a newer one of that name.
  public var overridesVersions = false
  /// Leave what another module or version built here has installed, where it is the same or newer.
  public var keepsInstalled = false
  /// Modules for which packages ask for this, or for `--force`.
  public var forcedModules = ForcedModules()
  /// Leave depmod to the caller.
  public var skipsDepmod = false
  /// Install links to the built modules, not copies.
  public var linksModules = false
  /// Load what was installed for the running kernel.
  public var probesModules = false
  /// A shell command that follows whatever changed modules.
  public var postTransaction: KernelText?
  /// A file of shell variables that builds get.
  public var buildEnvironment: KernelText?
  /// How modules are signed.
  public var signing = SigningOptions()
  /// How long a build or script may print nothing before it is stopped; nil for no limit.
  public var silenceLimit: Duration?
  /// Say which programs are run.
  public var isVerbose = false
  /// Arguments of gzip.
  public var gzipArguments = ["-n"]
  /// Arguments of xz.
  public var xzArguments = ["--check=crc32", "--lzma2=dict=1MiB"]
  /// Arguments of zstd.
  public var zstdArguments = ["-q", "--rm", "-T0"]

  /// Makes the options of a call without any.
  public init() {}
}
