// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// Reads the dkms.conf of a module with all that overrides it.
public struct ConfigurationReader: Sendable {
  private let evaluator: ConfigurationEvaluator
  private let processorCount: Int
  private let layout: Layout
  private let options: BuildOptions

  /// Makes a reader.
  public init(host: Host, layout: Layout, options: BuildOptions) {
    evaluator = ConfigurationEvaluator(host: host)
    processorCount = host.processorCount
    self.layout = layout
    self.options = options
  }

  /// What a registered module's configuration says for a kernel.
  ///
  /// - Throws: `DKMSError`.
  public func configuration(of id: ModuleID, for kernel: Kernel) async throws(DKMSError)
    -> ModuleConfiguration
  {
    try await configuration(of: id, source: layout.sourceLink(id), for: kernel)
  }

  /// What the configuration of a source directory says for a kernel.
  ///
  /// - Parameters:
  ///   - id: The name and version it is known by; nil where the file itself tells them.
  ///   - source: The directory that holds dkms.conf.
  ///   - kernel: The kernel to read it for.
  ///   - allowsRepetition: Whether two modules of one name are let pass.
  /// - Returns: What it says.
  /// - Throws: `DKMSError`.
  public func configuration(
    of id: ModuleID? = nil, source: FilePath, for kernel: Kernel, allowsRepetition: Bool = false
  ) async throws(DKMSError) -> ModuleConfiguration {
    let file = options.configurationFile ?? source.appending("dkms.conf")
    guard Files.isFile(file) || Files.isDirectory(file) else {
      throw .configurationMissing(path: file.string)
    }
    let tree = KernelTree(kernel.release, in: layout, options: options)
    var variables = try await evaluator.evaluate(
      [file] + (id.map { overrides(of: $0, for: kernel) } ?? []),
      reading: ConfigurationInterpreter.directives, environment: environment(of: id, kernel, tree))
    for directive in options.directives {
      let (name, value) = try parts(of: directive)
      variables[name] = value
    }
    return try ConfigurationInterpreter(
      variables: variables, file: file.string, kernel: kernel, kernelHeaders: tree.headers.string,
      buildDirectory: { id in layout.build(id).string },
      hasKernelOption: KernelOptions(file: tree.configuration).contains, allowsRepetition: allowsRepetition
    ).configuration()
  }

  private func parts(of directive: String) throws(DKMSError) -> (name: String, value: String) {
    guard let separator = directive.firstIndex(of: "=") else {
      throw .invalidName(.directive, value: directive, problem: "it is not NAME=VALUE")
    }
    let name = directive[..<separator]
    let isName = name.utf8.enumerated().allSatisfy { index, byte in
      switch Unicode.Scalar(byte) {
      case "a"..."z", "A"..."Z", "_": true
      case "0"..."9": index > 0
      default: false
      }
    }
    guard isName, !name.isEmpty else {
      throw .invalidName(.directive, value: directive, problem: "no variable has that name")
    }
    return (String(name), String(directive[separator...].dropFirst()))
  }

  private func overrides(of id: ModuleID, for kernel: Kernel) -> [FilePath] {
    let (name, version, release, arch) = (id.name, id.version, kernel.release, kernel.architecture)
    return [
      "\(name)", "\(name)-\(version)", "\(name)-\(version)-\(release)",
      "\(name)-\(version)-\(release)-\(arch)",
      "\(name)--\(release)", "\(name)--\(release)-\(arch)",
    ].map { layout.configurationDirectory.appending("\($0).conf") }
  }

  private func environment(of id: ModuleID?, _ kernel: Kernel, _ tree: KernelTree) -> [String: String] {
    [
      "kernelver": kernel.release.description,
      "arch": kernel.architecture,
      "kernel_source_dir": tree.headers.string,
      "kernel_config": tree.configuration.string,
      "dkms_tree": layout.dkmsTree.string,
      "source_tree": layout.sourceTree.string,
      "install_tree": layout.installTree.string,
      "module": id?.name ?? "",
      "module_version": id?.version ?? "",
      // Without a limit it is empty, as what follows make's -j.
      "parallel_jobs": options.jobs == 0 ? "" : "\(options.jobs ?? processorCount)",
    ]
  }
}
