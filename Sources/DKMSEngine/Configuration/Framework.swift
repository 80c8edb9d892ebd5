// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// What framework.conf and framework.conf.d set for every module.
public struct Framework: Sendable {
  /// The trees, where the files name others.
  public let layout: Layout
  /// Jobs and compression.
  public var options: BuildOptions
  /// Whether `autoinstall` and the hooks may install by themselves.
  public let allowsAutoinstall: Bool
  /// What the files set, by the names of the variables.
  package let settings: [String: String]

  /// A look at the system that is set up so.
  public func snapshot(on host: Host) -> Snapshot { Snapshot(host: host, layout: layout, options: options) }

  /// Reads the files over a layout.
  ///
  /// What they do not set of the number of jobs and of signing is taken from the environment, as the reference does.
  /// Nothing is taken from there that names a program, a command or a key.
  ///
  /// - Parameters:
  ///   - layout: Where things are by default.
  ///   - host: The machine.
  ///   - trust: What becomes of what others than root can change, these files among it.
  ///   - excluded: Files that are passed over.
  /// - Returns: What is set.
  /// - Throws: `DKMSError` where one of them is no valid bash.
  public static func read(
    over layout: Layout, host: Host, trust: TrustPolicy = .warn, except excluded: Set<String> = []
  ) async throws(DKMSError) -> Framework {
    let directory = layout.configurationDirectory
    let files = try files(in: directory).filter { !excluded.contains($0.string) }
    var variables = try await ConfigurationEvaluator(host: host, distrustsIn: trust == .strict ? layout : nil)
      .evaluate(files, reading: names, environment: ["kernelver": KernelText.placeholder])
    let settings = names.reduce(into: [:]) { $0[$1] = variables[$1] }
    for name in inherited where variables[name] == nil {
      if let value = host.environment[name] { variables[name] = value }
    }
    var options = Self.options(variables)
    options.trust = trust
    options.forcedModules = try onFiles { () throws(HostError) in
      try ForcedModules.read(layout.forcedModulesDirectory)
    }
    let forbidsAutoinstall = try onFiles { () throws(HostError) in
      try Files.exists(directory.appending("no-autoinstall"))
    }
    return Framework(
      layout: Self.layout(layout, variables, host), options: options,
      allowsAutoinstall: !forbidsAutoinstall, settings: settings)
  }

  private static func files(in directory: FilePath) throws(DKMSError) -> [FilePath] {
    let extra = directory.appending("framework.conf.d")
    return try [directory.appending("framework.conf")]
      + onFiles { () throws(HostError) in try Files.list(extra) }
      .filter { $0.hasSuffix(".conf") }.map { extra.appending($0) }
  }

  /// Reads what can be read: a file that is no valid bash, or may not be read, sets nothing.
  ///
  /// - Returns: What is set, and what is wrong with each other file.
  /// - Throws: `DKMSError` where something else is wrong.
  public static func readUsable(
    over layout: Layout, host: Host
  ) async throws(DKMSError) -> (framework: Framework, problems: [DKMSError]) {
    let files = Set(try files(in: layout.configurationDirectory).map(\.string))
    var problems: [DKMSError] = []
    var broken: Set<String> = []
    while true {
      do throws(DKMSError) {
        return (try await read(over: layout, host: host, except: broken), problems)
      } catch {
        guard let file = error.configurationFile, files.contains(file), broken.insert(file).inserted else {
          throw error
        }
        problems.append(error)
      }
    }
  }

  private static let inherited = ["modprobe_on_install", "parallel_jobs", "try_sign_modules"]

  /// Every variable that the files may set.
  static let names =
    inherited + [
      "build_environment", "mok_certificate", "mok_signing_key", "post_transaction", "sign_file",
      "compress_gzip_opts", "compress_xz_opts", "compress_zstd_opts", "dkms_tree", "install_tree",
      "source_tree", "symlink_modules", "tmp_location", "verbose",
    ]

  private static func layout(_ layout: Layout, _ variables: Variables, _ host: Host) -> Layout {
    var layout = layout
    if let path = path("source_tree", variables) { layout.sourceTree = path }
    if let path = path("dkms_tree", variables) { layout.dkmsTree = path }
    if let path = path("install_tree", variables) { layout.installTree = path }
    if let path = host.environment["TMPDIR"], !path.isEmpty { layout.temporaryDirectory = FilePath(path) }
    if let path = path("tmp_location", variables) { layout.temporaryDirectory = path }
    return layout
  }

  private static func path(_ name: String, _ variables: Variables) -> FilePath? {
    set(name, variables).map { FilePath($0) }
  }

  /// The value of a variable that is set to something.
  private static func set(_ name: String, _ variables: Variables) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func options(_ variables: Variables) -> BuildOptions {
    var options = BuildOptions()
    options.jobs = variables["parallel_jobs"].flatMap { Int($0) }
    options.linksModules = set("symlink_modules", variables) != nil
    options.probesModules = set("modprobe_on_install", variables) != nil
    options.isVerbose = set("verbose", variables) != nil
    options.postTransaction = set("post_transaction", variables).map(KernelText.init)
    options.buildEnvironment = set("build_environment", variables).map(KernelText.init)
    options.signing = signing(variables)
    if let words = words("compress_gzip_opts", variables) { options.gzipArguments = words }
    if let words = words("compress_xz_opts", variables) { options.xzArguments = words }
    if let words = words("compress_zstd_opts", variables) { options.zstdArguments = words }
    return options
  }

  private static func signing(_ variables: Variables) -> SigningOptions {
    var signing = SigningOptions()
    signing.program = set("sign_file", variables).map(KernelText.init)
    signing.key = set("mok_signing_key", variables).map(KernelText.init)
    signing.certificate = set("mok_certificate", variables).map(KernelText.init)
    signing.policy =
      variables["try_sign_modules"].flatMap(SigningOptions.Policy.init(rawValue:)) ?? .outsideChroots
    return signing
  }

  private static func words(_ name: String, _ variables: Variables) -> [String]? {
    variables[name].map { $0.split(separator: " ").map(String.init) }
  }
}

/// What the caller or framework.conf sets for builds and installations.
public struct BuildOptions: Hashable, Sendable {
  /// How many jobs run at once; nil for as many as there are processors and memory for, 0 for no limit.
  public var jobs: Int?
  /// Whether the jobserver of the caller, if there is one, counts and not that number.
  public var joinsJobServer = true
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
  /// How builds and configuration files are kept from harm; nil where they run as their caller.
  public var confinement: ConfinementOptions?
  /// How the cache of built modules is used; nil for not at all.
  public var cache: CacheOptions?
  /// What becomes of modules that others than root can change.
  public var trust = TrustPolicy.warn
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

/// What framework.conf says of signing; nil where it leaves the choice to us.
public struct SigningOptions: Hashable, Sendable {
  /// The kernel's program that signs modules.
  public var program: KernelText?
  /// The private key: a file, or a `pkcs11:` URI.
  public var key: KernelText?
  /// The certificate that belongs to the key.
  public var certificate: KernelText?
  /// Whether modules are signed at all.
  public var policy: Policy = .outsideChroots

  /// Makes the options of a framework.conf that says nothing.
  public init() {}

  /// When modules are signed; the raw values are those of `try_sign_modules`.
  public enum Policy: String, Sendable {
    /// Wherever the kernel can verify signatures.
    case always = "true"
    /// Never.
    case never = "false"
    /// Likewise, but not in a chroot, where the keys of the machine are not at hand.
    case outsideChroots = "not_in_chroot"
  }
}

/// Modules that packages want installed whatever the kernel has, listed in the files of a directory.
public struct ForcedModules: Codable, Hashable, Sendable {
  /// Installed as if `--force` were given.
  public var installed: Set<String> = []
  /// Installed as if `--force-version-override` were given.
  public var versionOverridden: Set<String> = []

  /// Makes a list of none.
  public init() {}

  /// Whether a module is installed whatever the kernel has of its names.
  package func includes(_ name: String) -> Bool {
    installed.contains(name) || versionOverridden.contains(name)
  }

  /// Reads the words of every file in a directory: a module's name, or that and `_version-override`.
  static func read(_ directory: FilePath) throws(HostError) -> ForcedModules {
    var modules = ForcedModules()
    let suffix = "_version-override"
    let words = try Files.list(directory).collect { name throws(HostError) in
      try Files.text(directory.appending(name))?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }
    for word in words {
      if word.hasSuffix(suffix) {
        modules.versionOverridden.insert(String(word.dropLast(suffix.count)))
      } else {
        modules.installed.insert(word)
      }
    }
    return modules
  }
}

extension DKMSError {
  /// The file of settings that cannot be read.
  fileprivate var configurationFile: String? {
    switch self {
    case .configurationUnreadable(let path, _), .configurationMalformed(let path, _): path
    default: nil
    }
  }
}
