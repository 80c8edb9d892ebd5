// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
internal import DKMSModel
package import Host
internal import SystemPackage

extension [KernelCondition] {
  /// Adds to each module whose build failed where its source comes from.
  ///
  /// - Throws: `HostError` where a look failed.
  package mutating func addOrigins(
    from database: borrowing Database, _ snapshot: Snapshot
  ) throws(HostError) {
    let tree = try snapshot.tree()
    for (kernel, condition) in enumerated() {
      for (module, failed) in condition.modules.enumerated() where failed.failure != nil {
        let source = snapshot.layout.source(failed.id).appending("dkms.conf")
        guard var origin = database.origin(of: source, root: snapshot.layout.root) else { continue }
        let base = try snapshot.kernels().packageBase(of: condition.kernel.release)
        for package in base.map({ [$0, "\($0)-headers"] }) ?? [] where database.hasPackage(package) {
          origin.kernelPackages.append(package)
        }
        origin.builtFor =
          tree[failed.id]?.builds.map(\.kernel.release).filter { $0 != condition.kernel.release } ?? []
        self[kernel].modules[module].origin = origin
      }
    }
  }
}
