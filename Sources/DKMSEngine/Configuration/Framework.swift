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

  /// Reads the files over a layout.
  ///
  /// - Throws: `DKMSError` where one of them is no valid bash.
  public static func read(over layout: Layout, host: Host) async throws(DKMSError) -> Framework {
    let directory = layout.configurationDirectory
    let extra = directory.appending("framework.conf.d")
    let files =
      [directory.appending("framework.conf")]
      + Files.list(extra).filter { $0.hasSuffix(".conf") }.map { extra.appending($0) }
    let variables = try await BashEvaluator(host: host)
      .evaluate(files, reading: names, environment: [:])
    return Framework(
      layout: Self.layout(layout, variables), options: Self.options(variables),
      allowsAutoinstall: Files.kind(directory.appending("no-autoinstall")) == nil)
  }

  private static let names = [
    "source_tree", "dkms_tree", "install_tree", "parallel_jobs", "compress_gzip_opts", "compress_xz_opts",
    "compress_zstd_opts",
  ]

  private static func layout(_ layout: Layout, _ variables: Variables) -> Layout {
    var layout = layout
    if let path = path("source_tree", variables) { layout.sourceTree = path }
    if let path = path("dkms_tree", variables) { layout.dkmsTree = path }
    if let path = path("install_tree", variables) { layout.installTree = path }
    return layout
  }

  private static func path(_ name: String, _ variables: Variables) -> FilePath? {
    variables[name].flatMap { $0.isEmpty ? nil : FilePath($0) }
  }

  private static func options(_ variables: Variables) -> BuildOptions {
    var options = BuildOptions()
    options.jobs = variables["parallel_jobs"].flatMap { Int($0) }
    if let words = words("compress_gzip_opts", variables) { options.gzipArguments = words }
    if let words = words("compress_xz_opts", variables) { options.xzArguments = words }
    if let words = words("compress_zstd_opts", variables) { options.zstdArguments = words }
    return options
  }

  private static func words(_ name: String, _ variables: Variables) -> [String]? {
    variables[name].map { $0.split(separator: " ").map(String.init) }
  }
}
