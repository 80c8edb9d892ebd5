// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
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
  ///
  /// - Throws: `HostError` where the look failed.
  public func all() throws(HostError) -> [Record] {
    var records: [Record] = []
    for name in try Files.list(layout.stateDirectory.appending("booted")) {
      guard let release = try? KernelRelease(name) else { continue }
      records.append(Record(release: release, boot: try Files.text(layout.bootRecord(release)) ?? ""))
    }
    return records
  }
}
