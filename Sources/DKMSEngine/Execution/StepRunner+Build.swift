// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Builds a module, or takes its build from the cache; returns whether it did that.
  func build(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, _ warnings: inout [String]
  ) async throws(DKMSError) -> Bool {
    // Compilers and make need the device, and most builds nothing of /proc.
    let missing = VirtualFiles.missing
    guard !missing.contains("/dev/null") else {
      throw .system(
        operation: "build", subject: "\(id) for \(kernel.release)",
        reason: "compilers need \(missing.map(\.string).joined(separator: " and ")), not to be found here")
    }
    let registration = layout.registration(id)
    let products = layout.products(id, kernel.release)
    let result = try await lockedModule(id, .shared) { () throws(DKMSError) in
      // Another run may be about to add anew what it has removed.
      guard try onFiles({ () throws(HostError) in try Files.exists(layout.sourceLink(id)) }) else {
        throw overtaken(id, nil, .removed)
      }
      return try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        let result = await withJob { await attempt(id, kernel, basis, &warnings) }
        Files.removeEmptyDirectories(from: products, upTo: registration)
        return result
      }
    }
    return try result.get()
  }

  private func withJob<Value: Sendable>(_ body: () async -> Value) async -> Value {
    guard let jobServer else { return await body() }
    return await jobServer.withJob(body)
  }

  private func attempt(
    _ id: ModuleID, _ kernel: Kernel, _ basis: Basis, _ warnings: inout [String]
  ) async -> Result<Bool, DKMSError> {
    let scratch = layout.staging(id, kernel, "build")
    let result: Result<Bool, DKMSError>
    do {
      let build = try await ModuleBuild(self, id, kernel, basis, scratch: scratch)
      let isCached =
        basis.buildsInSource ? try await alone(build, id, &warnings) : try await build.run(&warnings)
      result = .success(isCached)
    } catch {
      if Task.isCancelled {
        // This is not a failure of the module: no log is recorded, so that the next transaction tries again.
        result = .failure(
          .system(operation: "build", subject: "\(id) for \(kernel.release)", reason: "interrupted"))
      } else {
        // What takes most room goes first: the disk may be full.
        clear(["build", "product", "source"], id, kernel)
        // If it cannot be kept, the error is still the one to report.
        try? await FailureRecord(layout).note(layout.buildLog(id, kernel), error, of: id, kernel)
        result = .failure(error)
      }
    }
    clear(["build", "output", "product", "source"], id, kernel)
    return result
  }

  /// Builds while no other run does so in the same source.
  private func alone(
    _ build: ModuleBuild, _ id: ModuleID, _ warnings: inout [String]
  ) async throws(DKMSError) -> Bool {
    try await locked(
      layout.sourceLink(id), .exclusive, "the source of \(id)", whereGone: { overtaken(id, nil, .removed) }
    ) {
      () throws(DKMSError) in try await build.run(&warnings)
    }
  }

  private func clear(_ purposes: [String], _ id: ModuleID, _ kernel: Kernel) {
    for purpose in purposes { try? Files.remove(layout.staging(id, kernel, purpose)) }
  }
}
