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
  /// The packages that own each kernel, as its fingerprint has them.
  package let owners: [KernelRelease: String]

  /// Looks at the directories and asks the database about each.
  ///
  /// Where there is no database every directory counts.
  ///
  /// - Throws: `HostError` where it cannot be told which kernels there are.
  package init(_ snapshot: Snapshot, _ database: borrowing Database) throws(HostError) {
    var owned: [KernelRelease] = []
    var orphans: [KernelRelease] = []
    var owners: [KernelRelease: String] = [:]
    let catalogue = try snapshot.kernels()
    for release in catalogue.kernels {
      // The kernel's own package knows best, and asking it alone spares every other file list.
      let hints = try catalogue.packageBase(of: release).map { [$0, "\($0)-headers"] } ?? []
      if database.isOwned("usr/lib/modules/\(release)/", hints: hints) {
        owned.append(release)
        owners[release] = database.kernelOwner(of: release, hints: hints)
      } else {
        orphans.append(release)
      }
    }
    self.owners = owners
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
      for package in [kind.rawValue, "\(kind.rawValue)-git"] where database.files(of: package) != nil {
        if !kinds.contains(kind) { kinds.append(kind) }
      }
    }
    self.kinds = kinds
  }
}
