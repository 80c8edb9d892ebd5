// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import JSON
internal import SystemPackage

/// What `dkms status --json` prints: every fact of the text, and why a kernel lacks a module.
///
/// Members may be added; one that is removed or changes its meaning raises the number of the schema.
struct StatusDocument {
  private static let schema = 2

  private let layout: Layout
  private let records: [ModuleRecord]
  private let facts: Facts

  init(_ snapshot: Snapshot, matching filter: StatusFilter) async throws(DKMSError) {
    layout = snapshot.layout
    let host = snapshot.host
    let releases: [KernelRelease]
    do throws(HostError) {
      records = try snapshot.tree().modules.filter { filter.includes($0.id) }
      releases = try snapshot.kernels().kernels
    } catch {
      throw DKMSError(error)
    }
    let installed =
      releases
      .compactMap { try? Kernel(release: $0, architecture: host.architecture) }
    let kernels = Set(installed + records.flatMap(\.builds).map(\.kernel))
      .filter(filter.includes).sorted { $0.description < $1.description }
    let modules = records.filter { !$0.isBroken }.map(\.id)
    let reader = FactsReader(snapshot, kernelOwners: [:])
    var facts = try await reader.facts(FactsReader.Request(modules: modules, kernels: kernels))
    // Only strict trust keeps a module from being built, and only root can look everywhere.
    if snapshot.options.trust == .strict, host.isRoot { facts.trust = try reader.trust(in: modules, facts) }
    self.facts = facts
  }

  var brokenModules: [ModuleID] { records.filter(\.isBroken).map(\.id) }

  /// The document.
  ///
  /// - Throws: `DKMSError.system` where a look failed.
  func json() throws(DKMSError) -> JSON {
    do { return try document() } catch { throw DKMSError(error) }
  }

  private func document() throws(HostError) -> JSON {
    .object([
      .init("schema", .number(Self.schema)),
      .init("version", .string(Version.current)),
      .init("dkms_tree", .string(layout.dkmsTree.string)),
      .init("kernels", .array(kernels.map(kernel))),
      .init("modules", .array(try records.map(module))),
    ])
  }

  private var kernels: [Kernel] { facts.kernels.keys.sorted { $0.description < $1.description } }

  private func kernel(_ kernel: Kernel) -> JSON {
    let known = facts.kernels[kernel]
    return .object([
      .init("kernel", .string(kernel.release.description)),
      .init("architecture", .string(kernel.architecture)),
      .init("directory", .string(orNull: known?.directory)),
      .init("exists", .bool(known?.exists == true)),
      .init("headers_present", .bool(known?.hasHeaders == true)),
      .init("headers_directory", .string(orNull: known?.headersDirectory)),
      .init("headers_package", .string(orNull: known?.headersPackage)),
    ])
  }

  private func module(_ record: ModuleRecord) throws(HostError) -> JSON {
    let kernels = record.isBroken ? [] : kernels
    return .object([
      .init("module", .string("\(record.id)")),
      .init("name", .string(record.id.name)),
      .init("version", .string(record.id.version)),
      .init("state", .string(record.isBroken ? "broken" : "added")),
      .init("source", .string(orNull: record.source)),
      .init("source_kept", .bool(record.usesKeptSource)),
      .init(
        "kernels",
        .array(try kernels.map { kernel throws(HostError) in try standing(of: record, kernel) })),
    ])
  }

  // MARK: A module and a kernel

  private func standing(of record: ModuleRecord, _ kernel: Kernel) throws(HostError) -> JSON {
    let build = record.build(for: kernel)
    let state = build.map { $0.isInstalled ? "installed" : "built" } ?? "none"
    var members: [JSON.Member] = [
      .init("kernel", .string(kernel.release.description)),
      .init("architecture", .string(kernel.architecture)),
      .init("state", .string(state)),
      .init("headers_present", .bool(facts.kernels[kernel]?.hasHeaders == true)),
      .init("skip", build == nil ? skip(of: record.id, kernel) : .null),
      .init("log", .string(orNull: try log(of: record.id, kernel))),
      .init("failure_log", .string(orNull: try existing(layout.failureLog(record.id, kernel)))),
    ]
    if let build { members += try remarks(on: record.id, build) }
    return .object(members)
  }

  private func remarks(on id: ModuleID, _ build: BuildRecord) throws(HostError) -> [JSON.Member] {
    let kernel = build.kernel
    let tree = ModuleTree(layout)
    let integrity = try tree.integrity(of: id, kernel, facts.configurations[id]?[kernel]?.configuration)
    return [
      .init("original_modules", .bool(try tree.hasOriginals(id.name, kernel))),
      .init("differs_from_built", .bool(integrity == .different)),
      .init("missing_from_tree", .bool(integrity == .missingFromTree)),
      // Null if the build did not note its kernel; builds of the reference do not.
      .init("kernel_differs", facts.isForAnotherKernel(build).map(JSON.bool) ?? .null),
    ]
  }

  /// Why the kernel has no such module: the first thing that is in its way.
  private func skip(of id: ModuleID, _ kernel: Kernel) -> JSON {
    let obstacle = Obstacles(facts).first(to: id, for: kernel)
    let hasFailed = facts.failedBuilds[id]?.contains(kernel) == true
    if let obstacle { return reason(obstacle.skipCause, obstacle.skipReason) }
    if hasFailed { return reason("failed", "the last build failed") }
    if facts.configurations[id]?[kernel]?.configuration?.autoinstall == false {
      return reason("not_autoinstalled", "its dkms.conf does not set AUTOINSTALL")
    }
    return .null
  }

  private func reason(_ cause: String, _ text: String) -> JSON {
    .object([.init("cause", .string(cause)), .init("reason", .string(text))])
  }

  private func log(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> String? {
    try existing(layout.product(id, kernel).appending("log/make.log"))
  }

  private func existing(_ path: FilePath) throws(HostError) -> String? {
    try Files.isFile(path) ? path.string : nil
  }
}

extension DKMSError {
  /// What stands in the way, for people; the document has named the module and the kernel already.
  fileprivate var skipReason: String {
    if case .excluded(_, _, let reason) = self { reason } else { description }
  }

  /// What stands in the way, in a word for programs.
  fileprivate var skipCause: String {
    switch self {
    case .excluded: "excluded"
    case .headersMissing: "headers"
    case .dependenciesMissing: "dependencies"
    case .compilerMissing: "toolchain"
    case .moduleBroken: "broken"
    case .untrusted: "untrusted"
    case .system: "failed_look"
    default: "configuration"
    }
  }
}
