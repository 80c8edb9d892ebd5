// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

/// Something that no package owns and no kernel needs.
struct Prunable: Hashable {
  /// What it is.
  let kind: Kind
  /// Where it is.
  let path: FilePath
  /// The room it takes on the disk, in bytes.
  var size = 0

  /// What it is; the raw values are read by programs.
  enum Kind: String, Hashable {
    /// A kernel's directory that holds only what DKMS and depmod put there.
    case kernelRemains = "kernel_remains"
    /// Modules that were built for a kernel that is gone.
    case build
    /// A link that says what a kernel has installed, and leads nowhere.
    case link
    /// What a killed run has left half made.
    case leftover
    /// A copy of a source that is there itself.
    case keptSource = "kept_source"
    /// A directory with nothing in it.
    case emptyDirectory = "empty_directory"
  }
}

extension Prunable.Kind {
  /// Why it may go.
  var reason: String {
    switch self {
    case .kernelRemains: "the kernel is gone; only modules built here are left"
    case .build: "the kernel that it was built for is gone"
    case .link: "it leads nowhere"
    case .leftover: "a killed run left it half made"
    case .keptSource: "the source it was copied from is there"
    case .emptyDirectory: "it is empty"
    }
  }
}
