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
          && Self.isGenerated(file.lastComponent?.string ?? "")
    }
  }

  /// Everything below a directory but directories; links are not followed.
  private static func files(below directory: FilePath) -> [FilePath] {
    Files.components(of: directory).flatMap { name -> [FilePath] in
      let path = directory.appending(name)
      return Files.kind(path) == .directory ? files(below: path) : [path]
    }
  }

  /// Whether depmod writes a file of this name, which is cleared away when a kernel has gone.
  static func isGenerated(_ name: String) -> Bool {
    generated.contains(name) || halfWritten(name).map { generated.contains($0.name) } == true
  }

  /// What depmod was about to rename to files in a kernel's directory when it was killed.
  static func halfWritten(in directory: FilePath) -> [FilePath] {
    Files.list(directory).filter { name in
      guard let file = halfWritten(name), generated.contains(file.name) else { return false }
      return !Files.isDirectory(FilePath("/proc/\(file.process)"))
    }.map(directory.appending)
  }

  /// The name that a file of depmod's would get, and the process that writes it: both are in the name that it has
  /// until then, with the time after them.
  private static func halfWritten(_ name: String) -> (name: String, process: Substring)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 3, parts.suffix(3).allSatisfy({ Int($0) != nil }) else { return nil }
    return (parts.dropLast(3).joined(separator: "."), parts[parts.count - 3])
  }

  private static let generated: Set<String> = {
    let plain = ["alias", "dep", "devname", "softdep", "symbols", "weakdep"]
    let binary = ["alias", "dep", "symbols", "builtin", "builtin.alias"]
    return Set(plain.map { "modules.\($0)" } + binary.map { "modules.\($0).bin" })
  }()
}
