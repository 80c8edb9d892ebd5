// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Reads the dkms.conf of a module with all that overrides it.
struct ConfigurationReader: Sendable {
  private let evaluator: ConfigurationEvaluator
  private let snapshot: Snapshot
  private let layout: Layout
  private let options: BuildOptions

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    evaluator = ConfigurationEvaluator(of: snapshot)
    layout = snapshot.layout
    options = snapshot.options
  }

  /// Evaluates the configuration of a source directory for a kernel.
  ///
  /// - Parameters:
  ///   - id: The name and version it is known by; nil where the file itself tells them.
  ///   - source: The directory that holds dkms.conf.
  ///   - kernel: The kernel to read it for.
  ///   - allowsRepetition: Whether two modules may have the same name.
  /// - Returns: What it says, with a digest of the files that were read.
  func evaluation(
    of id: ModuleID?, source: FilePath, for kernel: Kernel, allowsRepetition: Bool = false
  ) async -> EvaluatedConfiguration {
    let files = files(of: id, source: source, for: kernel)
    do throws(DKMSError) {
      let contents = try evaluator.contents(of: files)
      let digest = Self.digest(of: contents)
      do throws(DKMSError) {
        guard contents[0] != .absent else { throw try absence(of: files[0], id, source) }
        let configuration = try await configuration(
          of: id, files, contents, for: kernel, allowsRepetition: allowsRepetition)
        return EvaluatedConfiguration(fact: .read(configuration), files: digest)
      } catch {
        return EvaluatedConfiguration(fact: .unreadable(error), files: digest)
      }
    } catch {
      return EvaluatedConfiguration(fact: .unreadable(error), files: "")
    }
  }

  /// Why a file is not there: a registration that was listed a moment ago may have gone with another run.
  private func absence(
    of file: FilePath, _ id: ModuleID?, _ source: FilePath
  ) throws(DKMSError) -> DKMSError {
    if let id, source == layout.sourceLink(id),
      try onFiles({ () throws(HostError) in try !Files.exists(source) })
    {
      return .overtaken(id, nil, .removed, by: nil)
    }
    return .configurationMissing(path: file.string)
  }

  /// A digest of the files by which a module is configured for a kernel, wherever the source lies.
  ///
  /// - Throws: `DKMSError.configurationUnreadable` where one of them cannot be read.
  func digest(of id: ModuleID, source: FilePath, for kernel: Kernel) throws(DKMSError) -> String {
    Self.digest(of: try evaluator.contents(of: files(of: id, source: source, for: kernel)))
  }

  private static func digest(of contents: [ConfigurationEvaluator.Content]) -> String {
    contents.enumerated().compactMap { index, content in
      if case .text(let bytes) = content { "\(index):\(Files.digest(of: bytes))" } else { nil }
    }.joined(separator: ",")
  }

  private func files(of id: ModuleID?, source: FilePath, for kernel: Kernel) -> [FilePath] {
    [file(in: source)] + (id.map { overrides(of: $0, for: kernel) } ?? [])
  }

  private func file(in source: FilePath) -> FilePath {
    options.configurationFile ?? source.appending("dkms.conf")
  }

  private func configuration(
    of id: ModuleID?, _ files: [FilePath], _ contents: [ConfigurationEvaluator.Content], for kernel: Kernel,
    allowsRepetition: Bool
  ) async throws(DKMSError) -> ModuleConfiguration {
    let tree = snapshot.kernel(kernel.release)
    let configurationFile = try onFiles { () throws(HostError) in try tree.configurationFile() }
    var variables = try await evaluator.evaluate(
      files, contents, reading: ConfigurationInterpreter.directives,
      environment: environment(of: id, kernel, tree, configurationFile))
    for directive in options.directives {
      let (name, value) = try parts(of: directive)
      variables[name] = value
    }
    // Kernel options are only read if a conf asks for them.
    var kernelOptions: KernelOptions?
    if !variables.array("BUILD_EXCLUSIVE_CONFIG").allSatisfy(\.isEmpty) {
      kernelOptions = try onFiles { () throws(HostError) in try tree.options() }
    }
    return try ConfigurationInterpreter(
      variables: variables, file: files[0].string, kernel: kernel, kernelHeaders: tree.headers.string,
      buildDirectory: { id in layout.build(id).string },
      hasKernelOption: { [kernelOptions] in kernelOptions?.contains($0) }, allowsRepetition: allowsRepetition
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

  private func environment(
    of id: ModuleID?, _ kernel: Kernel, _ tree: KernelTree, _ configurationFile: FilePath
  ) -> [String: String] {
    [
      "kernelver": kernel.release.description,
      "arch": kernel.architecture,
      "kernel_source_dir": tree.headers.string,
      "kernel_config": configurationFile.string,
      "dkms_tree": layout.dkmsTree.string,
      "source_tree": layout.sourceTree.string,
      "install_tree": layout.installTree.string,
      "module": id?.name ?? "",
      "module_version": id?.version ?? "",
      // It is empty for no limit, like the argument of make's -j.
      "parallel_jobs": options.jobs == 0 ? "" : "\(options.jobs ?? snapshot.host.processorCount)",
    ]
  }
}

/// Values of bash variables; every variable is an array, perhaps with gaps.
struct Variables: Hashable, Sendable {
  private var values: [String: [Int: String]] = [:]

  init(_ values: [String: [Int: String]] = [:]) { self.values = values }

  /// The variable as bash gives it without an index.
  subscript(name: String) -> String? {
    get { values[name]?[0] }
    set { values[name, default: [:]][0] = newValue }
  }

  subscript(name: String, index: Int) -> String {
    get { values[name]?[index] ?? "" }
    set { values[name, default: [:]][index] = newValue }
  }

  func indices(_ name: String) -> [Int] {
    values[name].map { $0.keys.sorted() } ?? []
  }

  func array(_ name: String) -> [String] {
    indices(name).map { self[name, $0] }
  }
}
