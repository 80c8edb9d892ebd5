// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// The kernels that have a directory in the install tree.
public struct KernelCatalogue: Sendable {
  private let layout: Layout

  /// Looks into the install tree of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// The releases, sorted as bytes.
  public var releases: [KernelRelease] {
    Files.list(layout.installTree).compactMap { name in
      guard Files.isDirectory(layout.installTree.appending(name)) else { return nil }
      return try? KernelRelease(name)
    }
  }

  /// The kernels whose own modules are there; a directory may also hold headers alone, or leftovers.
  public var kernels: [KernelRelease] {
    releases.filter { release in
      ["modules.order", "kernel"].contains { Files.kind(layout.kernel(release).appending($0)) != nil }
    }
  }

  /// The package base that a kernel's package left beside it, by Arch's convention.
  public func packageBase(of release: KernelRelease) -> String? {
    Files.text(layout.packageBaseFile(release))
  }
}
