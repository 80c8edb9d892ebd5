// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// A module that was named by a directory or a tarball, read and ready to be planned with.
///
/// What a tarball held is unpacked as long as this value lives.
public struct ImportedModule: ~Copyable, Sendable {
  /// The module version, as its dkms.conf calls it.
  public let id: ModuleID
  /// Where it comes from; nil where its source is in its place already.
  public let origin: ModuleOrigin?
  private let scratch: ScratchDirectory?

  init(_ id: ModuleID, _ origin: ModuleOrigin?, unpackedIn scratch: consuming ScratchDirectory? = nil) {
    self.id = id
    self.origin = origin
    self.scratch = scratch
  }

  /// Removes what was unpacked.
  public consuming func discard() {}
}
