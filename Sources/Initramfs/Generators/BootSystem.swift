// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
public import Host
public import SystemPackage

/// The system whose images are looked at: its root directory, its kernels, and the machine.
public struct BootSystem: Sendable {
  /// The machine that runs the generators.
  public let host: Host
  /// Where copies of modules are put for a while.
  let temporaryDirectory: FilePath
  private let root: FilePath
  private let installTree: FilePath

  /// Describes a system.
  ///
  /// - Parameters:
  ///   - root: Its root directory, `/` but for tests.
  ///   - installTree: Where its kernels have their modules.
  ///   - temporaryDirectory: Where copies of modules are put for a while.
  ///   - host: The machine.
  public init(
    root: FilePath = "/", installTree: FilePath = "/usr/lib/modules", temporaryDirectory: FilePath = "/tmp",
    host: Host
  ) {
    self.root = root
    self.installTree = installTree
    self.temporaryDirectory = temporaryDirectory
    self.host = host
  }

  /// Where a path of the system is.
  func place(_ path: String) -> FilePath { root.appending(FilePath(path).components) }

  /// A kernel's module directory.
  func modules(of kernel: BootableKernel) -> FilePath {
    installTree.appending(kernel.kernel.release.description)
  }

  /// The directories in which boot partitions are mounted.
  static let bootDirectories = ["/boot", "/efi", "/boot/efi"]
}
