// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// The kernels that were removed while they were running.
public struct BootRecords: Sendable {
  private let layout: Layout

  /// Reads the records of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// A kernel, and the boot in which it was removed.
  public struct Record: Hashable, Sendable {
    /// The kernel's release.
    public let release: KernelRelease
    /// What the kernel called that boot.
    public let boot: String
  }

  /// All of them, sorted as bytes.
  public var all: [Record] {
    Files.list(layout.stateDirectory.appending("booted")).compactMap { name in
      guard let release = try? KernelRelease(name) else { return nil }
      return Record(release: release, boot: Files.text(layout.bootRecord(release)) ?? "")
    }
  }
}
