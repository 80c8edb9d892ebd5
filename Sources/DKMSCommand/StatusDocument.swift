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
  private static let schema = 1

  private let layout: Layout
  private let host: Host
  private let tree: ModuleTree
  private let records: [ModuleRecord]
  private let facts: Facts

  init(_ layout: Layout, _ options: BuildOptions, _ host: Host, matching filter: StatusFilter) async {
    self.layout = layout
    self.host = host
    tree = ModuleTree(layout)
    records = tree.state().modules.filter { filter.includes($0.id) }
    let installed = KernelCatalogue(layout).kernels
      .compactMap { try? Kernel(release: $0, architecture: host.architecture) }
    let kernels = Set(installed + records.flatMap(\.builds).map(\.kernel))
      .filter(filter.includes).sorted { $0.description < $1.description }
    facts = await FactsReader(host: host, layout: layout, options: options, comparesKernels: true)
      .facts(modules: records.filter { !$0.isBroken }.map(\.id), kernels: kernels)
  }

  var json: JSON {
    .object([
      .init("schema", .number(Self.schema)),
      .init("version", .string(Version.current)),
      .init("dkms_tree", .string(layout.dkmsTree.string)),
      .init("kernels", .array(kernels.map(kernel))),
      .init("modules", .array(records.map(module))),
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

  private func module(_ record: ModuleRecord) -> JSON {
    .object([
      .init("module", .string(record.id.name)),
      .init("version", .string(record.id.version)),
      .init("state", .string(record.isBroken ? "broken" : "added")),
      .init("source", .string(orNull: record.source)),
      .init("source_kept", .bool(record.isLastGood)),
      .init("kernels", .array(record.isBroken ? [] : kernels.map { standing(of: record, $0) })),
    ])
  }

  // MARK: A module and a kernel

  private func standing(of record: ModuleRecord, _ kernel: Kernel) -> JSON {
    let build = record.build(for: kernel)
    let state = build.map { $0.isInstalled ? "installed" : "built" } ?? "none"
    var members: [JSON.Member] = [
      .init("kernel", .string(kernel.release.description)),
      .init("architecture", .string(kernel.architecture)),
      .init("state", .string(state)),
      .init("headers_present", .bool(facts.kernels[kernel]?.hasHeaders == true)),
      .init("skip", build == nil ? skip(of: record.id, kernel) : .null),
      .init("log", .string(orNull: log(of: record.id, kernel))),
      .init("failure_log", .string(orNull: existing(layout.failureLog(record.id, kernel)))),
    ]
    if let build { members += remarks(on: record.id, build) }
    return .object(members)
  }

  private func remarks(on id: ModuleID, _ build: BuildRecord) -> [JSON.Member] {
    let kernel = build.kernel
    let integrity = tree.integrity(of: id, kernel, configuration(of: id, kernel))
    return [
      .init("original_modules", .bool(tree.hasOriginals(id.name, kernel))),
      .init("differs_from_built", .bool(integrity == .different)),
      .init("missing_from_tree", .bool(integrity == .missingFromTree)),
      // Null where the build did not note its kernel, as the reference's do not.
      .init("kernel_differs", facts.isForeign(build).map(JSON.bool) ?? .null),
    ]
  }

  private func configuration(of id: ModuleID, _ kernel: Kernel) -> ModuleConfiguration? {
    if case .read(let configuration)? = facts.configurations[id]?[kernel] { configuration } else { nil }
  }

  /// Why the kernel has no such module: the first thing that is in its way.
  private func skip(of id: ModuleID, _ kernel: Kernel) -> JSON {
    let reason = { (cause: String, text: String) in
      JSON.object([.init("cause", .string(cause)), .init("reason", .string(text))])
    }
    switch facts.configurations[id]?[kernel] {
    case .unreadable(let error)?: return reason("configuration", "\(error)")
    case .read(let configuration)?:
      if let exclusion = configuration.exclusion { return reason("excluded", exclusion) }
      if let known = facts.kernels[kernel], !known.hasHeaders {
        let error = DKMSError.headersMissing(
          kernel, directory: known.headersDirectory, package: known.headersPackage)
        return reason("headers", "\(error)")
      }
      let missing = configuration.buildDepends.filter {
        facts.tree.installedVersion(of: $0, for: kernel) == nil
      }
      if !missing.isEmpty {
        return reason("dependencies", "\(DKMSError.dependenciesMissing(id, kernel, names: missing))")
      }
      if existing(layout.failureLog(id, kernel)) != nil { return reason("failed", "the last build failed") }
      if !configuration.autoinstall {
        return reason("not_autoinstalled", "its dkms.conf does not say AUTOINSTALL")
      }
      return .null
    case nil: return .null
    }
  }

  private func log(of id: ModuleID, _ kernel: Kernel) -> String? {
    existing(layout.product(id, kernel).appending("log/make.log"))
  }

  private func existing(_ path: FilePath) -> String? { Files.isFile(path) ? path.string : nil }
}
