// SPDX-License-Identifier: GPL-2.0-or-later

/// A program that makes initramfs images.
public enum ImageGenerator: String, Codable, CaseIterable, Sendable {
  case mkinitcpio
  case dracut
  case booster
}

/// A file that a kernel boots with, and what makes it.
public struct InitramfsImage: Codable, Hashable, Sendable {
  /// Where it is, or belongs.
  public var path: String
  /// How the archive lies in it.
  public var form: Form
  /// The kernel whose modules it holds.
  public var kernel: Kernel
  /// What makes it.
  public var generator: ImageGenerator
  /// What the generator calls it, where its configuration has a name for it, such as `linux/default`.
  public var preset: String?

  /// Describes an image.
  public init(
    path: String, form: Form = .archive, kernel: Kernel, generator: ImageGenerator, preset: String? = nil
  ) {
    self.path = path
    self.form = form
    self.kernel = kernel
    self.generator = generator
    self.preset = preset
  }

  /// How an archive lies in a file.
  public enum Form: Codable, Hashable, Sendable {
    /// The file is the archive.
    case archive
    /// It is the `.initrd` section of a PE file.
    case unifiedKernelImage
  }
}
