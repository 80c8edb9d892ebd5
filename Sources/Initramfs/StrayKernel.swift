// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// A file that boot loaders take for an installed kernel, but that is another one, without installed modules.
public struct StrayKernel: Codable, Hashable, Sendable {
  /// The file.
  public var path: String
  /// The release that it tells itself.
  public var release: String
  /// The kernel that it should be.
  public var kernel: Kernel
  /// A file that is that kernel; nil where none is known.
  public var replacement: String?

  /// Describes one.
  public init(path: String, release: String, kernel: Kernel, replacement: String? = nil) {
    self.path = path
    self.release = release
    self.kernel = kernel
    self.replacement = replacement
  }

  /// What is wrong with it, for people, to be said after its name.
  public var reason: String {
    "it is the kernel \(release), whose modules are not installed; those of \(kernel.release) are"
  }

  /// What is to be done.
  public var remedy: String {
    let images = "alpm-dkms initramfs \(kernel.release)"
    let first = "see that its file system is mounted and can be written to, then"
    guard let replacement else { return "\(first) install the kernel's package again, and: \(images)" }
    return "\(first): cp \(replacement.quotedForShell) \(path.quotedForShell) && \(images)"
  }
}
