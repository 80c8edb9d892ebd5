// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
internal import DKMSModel
package import Host
internal import SystemPackage

extension [KernelCondition] {
  /// Adds where the source comes from to each module whose build failed, whose source is missing or cannot be read, or
  /// whose place another one has taken.
  ///
  /// - Throws: `HostError` where a look failed.
  package mutating func addOrigins(
    from database: borrowing Database, _ snapshot: Snapshot
  ) throws(HostError) {
    try addOriginsOfFailures(from: database, snapshot)
    addPackagesOfDisplaced(from: database, snapshot.layout)
    for kernel in indices { self[kernel].unreadSources.addReinstallations(from: database, snapshot.layout) }
  }

  private mutating func addOriginsOfFailures(
    from database: borrowing Database, _ snapshot: Snapshot
  ) throws(HostError) {
    let tree = try snapshot.tree()
    for (kernel, condition) in enumerated() {
      for (module, failed) in condition.modules.enumerated()
      where failed.failure != nil || failed.obstacle?.isOfSource == true {
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

  private mutating func addPackagesOfDisplaced(from database: borrowing Database, _ layout: Layout) {
    for kernel in indices {
      for module in self[kernel].modules.indices {
        var condition = self[kernel].modules[module]
        for file in condition.files.indices {
          guard var displacement = condition.files[file].displacement else { continue }
          displacement.byPackage = database.sourcePackage(of: displacement.by, layout)
          displacement.ofPackage = database.sourcePackage(of: condition.installed ?? condition.id, layout)
          condition.files[file].displacement = displacement
        }
        self[kernel].modules[module] = condition
      }
    }
  }
}

extension [UnreadSource] {
  /// Adds the commands that install the packages again.
  package mutating func addReinstallations(from database: borrowing Database, _ layout: Layout) {
    for index in indices where self[index].package != nil {
      let file = FilePath(self[index].directory).appending("dkms.conf")
      self[index].reinstallation = database.origin(of: file, root: layout.root)?.reinstallation
    }
  }
}

extension Database {
  /// The package that owns the source of a module; nil where none does.
  fileprivate borrowing func sourcePackage(of id: ModuleID, _ layout: Layout) -> String? {
    var path = layout.source(id).appending("dkms.conf")
    guard path.removePrefix(layout.root) else { return nil }
    return owners(of: path.string).first
  }
}
