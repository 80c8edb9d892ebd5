// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import SystemPackage

extension ActionRunner {
  /// Reads modules from directories and tarballs.
  var importer: ModuleImporter { ModuleImporter(snapshot) }

  /// The kernel for which the dkms.conf of such a module is read.
  func importKernel() throws -> Kernel {
    guard let kernel = try namedKernels().first else { throw UsageError.exactlyOneKernel(action) }
    return kernel
  }

  /// Registers the module of a tarball or a directory, with what was built from it.
  func loadTarball() async throws -> ExitStatus {
    guard let path = arguments.importPath else { throw UsageError.noArchive }
    try checkAccess()
    let kernel = try importKernel()
    let module = try await importer.module(at: path, for: kernel)
    let facts = try await facts([module.id], [kernel], origin: module.origin)
    let plan = Planner.load(module.id, facts: facts, options: options)
    remarkOnDeprecations(of: plan, facts)
    let status = try await carryOut(plan)
    module.discard()
    return status
  }

  /// Writes a module to a tarball.
  func makeTarball() async throws -> ExitStatus {
    let id = try module()
    let facts = try await facts([], [])
    let kernels = arguments.isAll ? facts.tree[id]?.builds.map(\.kernel) ?? [] : try namedKernels()
    let file = layout.tarball(id, kernels, arguments.contents, named: arguments.archive)
    return try await carryOut(
      Planner.archive(
        id, for: kernels, contents: arguments.contents, file: file.string, facts: facts, options: options))
  }
}
