// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

extension ActionRunner {
  /// Makes the key and the certificate with which modules are signed; those that are there stay.
  func generateKeys() async throws -> ExitStatus {
    let kernel = try onlyKernel()
    let facts = try await facts([], [kernel])
    let plan = try Planner.makeKeys(for: kernel, facts: facts)
    guard let keys = facts.kernels[kernel]?.signing?.keys else { return .success }
    if plan.isEmpty {
      host.console.print(
        "  -> \(keys.keyName): is there, with the certificate \(keys.certificate); both stay")
      return .success
    }
    if !arguments.isDryRun { try checkWritable(FilePath(keys.key).removingLastComponent()) }
    return try await carryOut(plan)
  }
}
