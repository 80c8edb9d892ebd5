// SPDX-License-Identifier: GPL-2.0-or-later

public import Host
internal import SystemPackage

/// A boot loader whose entries are understood; programs read the raw values.
public enum BootLoader: String, Hashable, Sendable {
  case systemdBoot = "systemd-boot"
  case limine
  case grub
  case refind

  /// Its name as its own documentation writes it.
  public var name: String {
    switch self {
    case .systemdBoot: "systemd-boot"
    case .limine: "Limine"
    case .grub: "GRUB"
    case .refind: "rEFInd"
    }
  }
}

/// An entry of a boot loader's menu, with those of the files it names that are there.
public struct BootEntry: Hashable, Sendable {
  /// The boot loader.
  public let loader: BootLoader
  /// The configuration with the entry; where the loader finds a unified kernel image by itself, that image.
  public let file: String
  /// What the menu calls it, below its submenus; nil where it has no name.
  public let title: String?
  /// The kernel that it starts; nil where it names none that is there.
  public let kernel: String?
  /// Whether it names a kernel, there or not.
  public let namesKernel: Bool
  /// The images that it starts the kernel with, unified kernel images among them.
  public let images: [String]

  /// Whether it boots a kernel with an image, by whatever path the image is named.
  ///
  /// - Throws: `HostError` where a path cannot be resolved.
  public func names(_ image: String) throws(HostError) -> Bool {
    let real = try Self.resolved(image)
    return try images.hasAny { other throws(HostError) in try Self.resolved(other) == real }
  }

  private static func resolved(_ path: String) throws(HostError) -> FilePath {
    try Files.resolved(FilePath(path)) ?? FilePath(path)
  }
}
