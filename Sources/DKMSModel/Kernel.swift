// SPDX-License-Identifier: GPL-2.0-or-later

/// The release of a kernel, as `uname -r` prints it and as its module directory is called.
public struct KernelRelease: Hashable, Sendable, CustomStringConvertible {
  /// The release itself.
  public let description: String

  /// Takes a release from text.
  ///
  /// - Throws: `DKMSError.invalidName` where the text cannot be the name of one directory.
  public init(_ text: String) throws(DKMSError) {
    try ModuleID.validate(text, as: .kernelRelease)
    description = text
  }
}

/// What a module is built for: a kernel release on an architecture.
public struct Kernel: Hashable, Sendable, CustomStringConvertible {
  /// The release of the kernel.
  public let release: KernelRelease
  /// The architecture as `uname -m` prints it.
  public let architecture: String

  /// Makes a kernel of its two parts.
  ///
  /// - Throws: `DKMSError.invalidName` where the architecture cannot be the name of one directory.
  public init(release: KernelRelease, architecture: String) throws(DKMSError) {
    try ModuleID.validate(architecture, as: .architecture)
    self.release = release
    self.architecture = architecture
  }

  /// `release (architecture)`, for people.
  public var description: String { "\(release) (\(architecture))" }
}
