// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  func build(_ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) -> [String] {
    let registration = layout.registration(id)
    let products = layout.products(id, kernel.release)
    let result = try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        let result = await withJob { await attempt(id, kernel) }
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

  private func attempt(_ id: ModuleID, _ kernel: Kernel) async -> Result<[String], DKMSError> {
    let scratch = layout.staging(id, kernel, "build")
    let result: Result<[String], DKMSError>
    do {
      let build = try await ModuleBuild(self, id, kernel, scratch: scratch)
      let warnings = try await build.run()
      try await changeLogs(of: id) { record throws(HostError) in try record.forget(id, kernel) }
      result = .success(warnings)
    } catch {
      if Task.isCancelled {
        // No failure of the module's: without a log of one, the next transaction tries again.
        result = .failure(
          .system(operation: "build", subject: "\(id) for \(kernel.release)", reason: "interrupted"))
      } else {
        let log = scratch.appending("make.log")
        try? await changeLogs(of: id) { record in record.keep(log, of: id, kernel) }
        result = .failure(error)
      }
    }
    for leftover in [scratch, layout.staging(id, kernel, "product")] { try? Files.remove(leftover) }
    return result
  }

  /// Changes the logs of failed builds, which builds for several kernels share.
  private func changeLogs(
    of id: ModuleID, _ body: @Sendable (FailureRecord) throws(HostError) -> Void
  ) async throws(DKMSError) {
    try await locked(layout.build(id), .exclusive, "the logs of \(id)") { () throws(DKMSError) in
      try onFiles { () throws(HostError) in try body(FailureRecord(layout)) }
    }
  }
}
