// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
package import SystemPackage

/// One look at a system: each fact is read when it is first asked for, and not again in the same run.
///
/// Planner, verdict, status, doctor and prune share one, so that they cannot disagree on what they saw.
public final class Snapshot: Sendable {
  /// The machine.
  public let host: Host
  /// Where things are.
  public let layout: Layout
  /// What the caller or framework.conf sets.
  public let options: BuildOptions

  private let readTree = Once<TreeState>()
  private let readKernels = Once<KernelCatalogue>()
  private let kernelTrees = Register<KernelRelease, KernelTree>()
  private let evaluations = Register<Question, Task<EvaluatedConfiguration, Never>>()
  private let moduleAnswers = ModuleAnswers()
  private let confinements = Register<ConfinementOptions?, Task<Confinement.Finding, Never>>()
  private let commonExposures = Register<[Kernel], Result<[Exposure], HostError>>()
  private let exposures = Register<ModuleID, Result<[Exposure], HostError>>()

  /// Makes a snapshot in which nothing has been read yet.
  public init(host: Host, layout: Layout, options: BuildOptions) {
    self.host = host
    self.layout = layout
    self.options = options
  }

  /// What the DKMS tree holds.
  ///
  /// - Throws: `HostError` where a part of it cannot be looked at.
  public func tree() throws(HostError) -> TreeState {
    try readTree.value { () throws(HostError) in try ModuleTree(layout).state() }
  }

  /// The kernels that have a directory.
  ///
  /// - Throws: `HostError` where that cannot be told.
  public func kernels() throws(HostError) -> KernelCatalogue {
    try readKernels.value { () throws(HostError) in try KernelCatalogue(layout) }
  }

  /// A kernel's directory and headers.
  package func kernel(_ release: KernelRelease) -> KernelTree {
    kernelTrees.value(of: release) { KernelTree(release, in: layout, options: options, now: host.now) }
  }

  /// Whether builds and configuration files are run without privilege.
  func confinement() async -> Confinement.Finding {
    let (options, host) = (options.confinement, host)
    return await confinements.value(of: options) { Task { await Confinement.find(options, on: host) } }.value
  }

  // MARK: Configurations

  private struct Question: Hashable {
    let id: ModuleID?
    let source: FilePath
    let kernel: Kernel
  }

  /// What the dkms.conf of a source says for a kernel, with all that overrides it.
  ///
  /// - Parameters:
  ///   - id: The name and version it is known by; nil where the file itself tells them.
  ///   - source: The directory that holds it.
  ///   - kernel: The kernel.
  /// - Returns: What came of evaluating it.
  package func configuration(
    of id: ModuleID?, source: FilePath, for kernel: Kernel
  ) async -> EvaluatedConfiguration {
    let reader = ConfigurationReader(self)
    let evaluation = evaluations.value(of: Question(id: id, source: source, kernel: kernel)) {
      Task { await reader.evaluation(of: id, source: source, for: kernel) }
    }
    return await withTaskCancellationHandler {
      await evaluation.value
    } onCancel: {
      evaluation.cancel()
    }
  }

  /// Which module version a source holds, by its dkms.conf.
  ///
  /// Its directory is usually named after both. Given that name, the file is read just as it will be for the
  /// plan, so it is read only once. If the file gives another name, that one counts.
  ///
  /// - Parameters:
  ///   - source: The directory that holds it.
  ///   - kernel: The kernel that it is read for.
  ///   - allowsRepetition: Whether two modules may have the same name.
  /// - Returns: Name and version.
  /// - Throws: `DKMSError` where the file does not say.
  package func identity(
    of source: FilePath, for kernel: Kernel, allowsRepetition: Bool = false
  ) async throws(DKMSError) -> ModuleID {
    let name = source.lastComponent?.string ?? ""
    if let dash = name.lastIndex(of: "-"),
      let likely = try? ModuleID(
        name: String(name[..<dash]), version: String(name[name.index(after: dash)...])),
      case .read(let configuration) = await configuration(of: likely, source: source, for: kernel).fact,
      configuration.id == likely
    {
      return likely
    }
    var fact = await configuration(of: nil, source: source, for: kernel).fact
    if allowsRepetition, case .unreadable(.configurationInvalid) = fact {
      fact = await ConfigurationReader(self)
        .evaluation(of: nil, source: source, for: kernel, allowsRepetition: true).fact
    }
    switch fact {
    case .read(let configuration): return configuration.id
    case .unreadable(let error): throw error
    }
  }

  // MARK: Trust

  /// What others than root can change of the settings and trees that concern every module.
  ///
  /// - Throws: `HostError` where a look failed.
  func commonExposures(for kernels: [Kernel]) throws(HostError) -> [Exposure] {
    try commonExposures.value(of: kernels) {
      Result { () throws(HostError) in
        var reader = TrustReader(layout, options)
        return try reader.common(for: kernels)
      }
    }.get()
  }

  /// What others than root can change of what is run for a module.
  ///
  /// - Parameters:
  ///   - id: The module version.
  ///   - source: The directory that holds its dkms.conf, or the link to it.
  ///   - kernels: The kernels it was built for.
  /// - Returns: What was found.
  /// - Throws: `HostError` where a look failed.
  func exposures(of id: ModuleID, source: FilePath, kernels: [Kernel]) throws(HostError) -> [Exposure] {
    try exposures.value(of: id) {
      Result { () throws(HostError) in
        var reader = TrustReader(layout, options)
        return try reader.exposures(of: id, source: source, kernels: kernels)
      }
    }.get()
  }

  // MARK: Modules

  /// What module files say of themselves.
  package func information(on files: [FilePath]) async -> [FilePath: ModuleInformation.Answer] {
    await moduleAnswers.answers(for: files, on: host)
  }
}

/// What came of evaluating a dkms.conf, and of which files.
package struct EvaluatedConfiguration: Hashable, Sendable {
  /// What it says, or why it says nothing.
  package let fact: ConfigurationFact
  /// A digest of the files that were evaluated.
  package let files: String
}

/// What module files have been asked so far.
private actor ModuleAnswers {
  private var known: [FilePath: ModuleInformation.Answer] = [:]

  func answers(for files: [FilePath], on host: Host) async -> [FilePath: ModuleInformation.Answer] {
    let unknown = files.filter { known[$0] == nil }
    known.merge(await ModuleInformation.read(unknown, on: host)) { $1 }
    return files.reduce(into: [:]) { $0[$1] = known[$1] }
  }
}
