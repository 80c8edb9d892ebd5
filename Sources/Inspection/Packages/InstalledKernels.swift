// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Pacman
internal import SystemPackage

/// The kernels of a system: directories that hold a kernel's modules and that a package owns.
package struct InstalledKernels {
  /// Kernels that packages own, or all there are where packages own none.
  package let releases: [KernelRelease]
  /// Directories with modules that no package owns, beside kernels that packages own.
  package let orphans: [KernelRelease]
  /// Why kernels count as owned though no package is known to own them: file lists are damaged.
  package let doubts: [DKMSError]
  /// The packages that own each kernel, as its fingerprint has them.
  package let owners: [KernelRelease: String]

  /// Looks at the directories and asks the database about each.
  ///
  /// Where there is no database every directory counts, and where the database cannot tell, a kernel is owned.
  ///
  /// - Throws: `HostError` where it cannot be told which kernels there are.
  package init(_ snapshot: Snapshot, _ database: borrowing Database) throws(HostError) {
    var owned: [KernelRelease] = []
    var orphans: [KernelRelease] = []
    var owners: [KernelRelease: String] = [:]
    var doubts: [DKMSError] = []
    let catalogue = try snapshot.kernels()
    for release in catalogue.kernels {
      // The kernel's own package knows best, and asking it alone spares every other file list.
      let hints = try catalogue.packageBase(of: release).map { [$0, "\($0)-headers"] } ?? []
      if database.isOwned("usr/lib/modules/\(release)/", hints: hints) {
        owned.append(release)
        // The owner of headers that are not there would be looked for in every list.
        let hasHeaders = try Files.kind(snapshot.layout.kernel(release).appending("build")) == .directory
        owners[release] = database.kernelOwner(of: release, hasHeaders: hasHeaders, hints: hints)
        continue
      }
      if doubts.isEmpty { doubts = database.damagedLists }
      if !doubts.isEmpty {
        owned.append(release)
      } else {
        orphans.append(release)
      }
    }
    self.owners = owners
    self.doubts = doubts
    releases = owned.isEmpty ? orphans : owned
    self.orphans = owned.isEmpty ? [] : orphans
  }
}

/// The generators of initramfs images that packages have brought.
package struct InstalledGenerators {
  /// The generators, in the order in which they are asked about.
  package let kinds: [ImageGenerator]

  /// Asks the database.
  package init(_ database: borrowing Database) {
    var kinds: [ImageGenerator] = []
    for kind in ImageGenerator.allCases {
      for package in [kind.rawValue, "\(kind.rawValue)-git"] where database.hasPackage(package) {
        if !kinds.contains(kind) { kinds.append(kind) }
      }
    }
    self.kinds = kinds
  }
}
