// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
internal import SystemPackage

/// The kernels that have a directory in the install tree.
public struct KernelCatalogue: Sendable {
  /// The releases, sorted as bytes.
  public let releases: [KernelRelease]
  /// The kernels whose own modules are there; a directory may also hold headers alone, or leftovers.
  public let kernels: [KernelRelease]
  private let layout: Layout

  /// Looks into the install tree of a layout.
  ///
  /// - Throws: `HostError` where that cannot be looked into: then it is not known which kernels there are.
  public init(_ layout: Layout) throws(HostError) {
    self.layout = layout
    var releases: [KernelRelease] = []
    var kernels: [KernelRelease] = []
    for name in try Files.list(layout.installTree) {
      let directory = layout.installTree.appending(name)
      guard let release = try? KernelRelease(name), try Files.isDirectory(directory) else { continue }
      releases.append(release)
      if try ["modules.order", "kernel"].map(directory.appending).hasAny(Files.exists) {
        kernels.append(release)
      }
    }
    self.releases = releases
    self.kernels = kernels
  }

  /// The package base that a kernel's package left beside it, by Arch's convention.
  ///
  /// - Throws: `HostError` where the look failed.
  public func packageBase(of release: KernelRelease) throws(HostError) -> String? {
    try Files.text(layout.packageBaseFile(release))
  }
}
