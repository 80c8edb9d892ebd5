// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// The system whose images are looked at: its root directory, its kernels, and the machine.
public struct BootSystem: Sendable {
  /// The machine that runs the generators.
  public let host: Host
  /// Where copies of modules are put for a while.
  let temporaryDirectory: FilePath
  /// Where logs of generators and notes on images are kept.
  let imageState: FilePath
  /// Where it is noted what is in images; nil where they are always read.
  let imageMemory: FilePath?
  private let root: FilePath
  /// Where kernels have their modules.
  let installTree: FilePath

  /// Describes a system.
  ///
  /// - Parameters:
  ///   - root: Its root directory, `/` but for tests.
  ///   - installTree: Where its kernels have their modules.
  ///   - temporaryDirectory: Where copies of modules are put for a while.
  ///   - imageState: Where logs of generators and notes on images are kept.
  ///   - imageMemory: Where it is noted what is in images; nil to always read them.
  ///   - host: The machine.
  public init(
    root: FilePath = "/", installTree: FilePath = "/usr/lib/modules", temporaryDirectory: FilePath = "/tmp",
    imageState: FilePath = "/var/lib/alpm-dkms/initramfs", imageMemory: FilePath? = nil, host: Host
  ) {
    self.root = root
    self.installTree = installTree
    self.temporaryDirectory = temporaryDirectory
    self.imageState = imageState
    self.imageMemory = imageMemory
    self.host = host
  }

  /// Where a path of the system is.
  func place(_ path: String) -> FilePath { root.appending(FilePath(path).components) }

  /// The file of a program that the machine would run; nil where there is none that can be seen.
  func program(_ name: String) -> FilePath? {
    let places = (host.environment["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)) }
    return try? places.map { $0.appending(name) }.firstWhere(Files.isExecutable)
  }

  /// A kernel's module directory.
  func modules(of kernel: BootableKernel) -> FilePath {
    installTree.appending(kernel.kernel.release.description)
  }

  /// Whether a kernel's own modules are there; its directory may outlast them.
  ///
  /// - Throws: `HostError` where the look failed.
  func hasModules(of release: String) throws(HostError) -> Bool {
    guard let name = FilePath.Component(release) else { return false }
    let directory = installTree.appending(name)
    return try ["modules.order", "kernel"].map(directory.appending).hasAny(Files.exists)
  }

  /// The directories in which boot partitions are mounted.
  static let bootDirectories = ["/boot", "/efi", "/boot/efi"]
}

/// A kernel as the generators know it.
public struct BootableKernel: Hashable, Sendable {
  /// The kernel.
  public var kernel: Kernel
  /// The package base after which Arch names its images; nil where its package tells none.
  public var packageBase: String?

  /// Names a kernel.
  public init(_ kernel: Kernel, packageBase: String?) {
    self.kernel = kernel
    self.packageBase = packageBase
  }
}

extension FilePath {
  /// The path as the name of one file, for what is kept of an image; no two images have the same.
  ///
  /// Boot partitions are FAT, whose names hold no colons, while those of images are full of hyphens.
  var asOneName: String { String(string.drop { $0 == "/" }.map { $0 == "/" ? ":" : $0 }) }
}
