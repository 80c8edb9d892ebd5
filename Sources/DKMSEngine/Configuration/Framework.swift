// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
internal import SystemPackage

/// What framework.conf and framework.conf.d set for every module.
public struct Framework: Sendable {
  /// The trees, where the files name others.
  public let layout: Layout
  /// Jobs and compression.
  public let options: BuildOptions
  /// Whether `autoinstall` and the hooks may install by themselves.
  public let allowsAutoinstall: Bool

  /// A look at the system that is set up so.
  public func snapshot(on host: Host) -> Snapshot { Snapshot(host: host, layout: layout, options: options) }

  /// Reads the files over a layout.
  ///
  /// What they do not set is taken from the environment, where the reference does so, too.
  ///
  /// - Throws: `DKMSError` where one of them is no valid bash.
  public static func read(over layout: Layout, host: Host) async throws(DKMSError) -> Framework {
    let directory = layout.configurationDirectory
    let extra = directory.appending("framework.conf.d")
    let files =
      try [directory.appending("framework.conf")]
      + onFiles { () throws(HostError) in try Files.list(extra) }
      .filter { $0.hasSuffix(".conf") }.map { extra.appending($0) }
    var variables = try await ConfigurationEvaluator(host: host)
      .evaluate(files, reading: names, environment: ["kernelver": KernelText.placeholder])
    for name in inherited where variables[name] == nil {
      if let value = host.environment[name] { variables[name] = value }
    }
    var options = Self.options(variables)
    options.forcedModules = try onFiles { () throws(HostError) in
      try ForcedModules.read(layout.forcedModulesDirectory)
    }
    let forbidsAutoinstall = try onFiles { () throws(HostError) in
      try Files.exists(directory.appending("no-autoinstall"))
    }
    return Framework(
      layout: Self.layout(layout, variables, host), options: options,
      allowsAutoinstall: !forbidsAutoinstall)
  }

  private static let inherited = [
    "build_environment", "modprobe_on_install", "mok_certificate", "mok_signing_key", "parallel_jobs",
    "post_transaction", "sign_file", "try_sign_modules",
  ]

  /// Every variable that the files may set.
  static let names =
    inherited + [
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
