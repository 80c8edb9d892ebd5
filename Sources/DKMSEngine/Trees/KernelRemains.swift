// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
public import SystemPackage

/// What is in a kernel's directory beside the kernel itself: modules that DKMS put there, and what depmod wrote.
public struct KernelRemains: Sendable {
  /// The module files, and whatever else is there, in the place where DKMS installs.
  public let installed: [FilePath]
  /// Whether there is nothing else in the directory but that, what depmod writes, and empty directories.
  public let isAll: Bool

  /// Looks into a kernel's directory.
  public init(of release: KernelRelease, in layout: Layout) {
    let directory = layout.kernel(release)
    let place = layout.installed(release)
    installed = Self.files(below: place)
    isAll = Self.files(below: directory).allSatisfy { file in
      file.starts(with: place)
        || file.removingLastComponent() == directory
          && Self.generated.contains(file.lastComponent?.string ?? "")
    }
  }

  /// Everything below a directory but directories; links are not followed.
  private static func files(below directory: FilePath) -> [FilePath] {
    Files.components(of: directory).flatMap { name -> [FilePath] in
      let path = directory.appending(name)
      return Files.kind(path) == .directory ? files(below: path) : [path]
    }
  }

  /// What depmod writes, and clears away when a kernel has gone.
  static let generated: Set<String> = {
    let plain = ["alias", "dep", "devname", "softdep", "symbols", "weakdep"]
    let binary = ["alias", "dep", "symbols", "builtin", "builtin.alias"]
    return Set(plain.map { "modules.\($0)" } + binary.map { "modules.\($0).bin" })
  }()
}
