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

/// A kernel that is there to be booted, as a file.
enum KernelImage {
  /// The release that the file itself tells; nil where it tells none.
  ///
  /// From the header of x86 kernels, which leads to the text; of others from the banner, if it is not compressed.
  ///
  /// - Throws: `HostError` where something is there that cannot be read, or is no regular file.
  static func release(in file: FilePath) throws(HostError) -> String? {
    guard try Files.size(file) != nil else { return nil }
    let bytes = try Files.read(file, upTo: headerReach)
    if bytes.count > 0x210, bytes[0x202..<0x206].elementsEqual("HdrS".utf8) {
      let offset = 0x200 + Int(bytes[0x20E]) + Int(bytes[0x20F]) << 8
      guard offset < bytes.count else { return nil }
      return word(bytes[offset...])
    }
    let banner = Array("Linux version ".utf8)
    let all = try Files.read(file, upTo: sizeLimit)
    var index = 0
    while let next = all[index...].firstIndex(of: banner[0]) {
      if all[next...].starts(with: banner) { return word(all[(next + banner.count)...]) }
      index = next + 1
    }
    return nil
  }

  private static let headerReach = 0x10400
  private static let sizeLimit = 128 << 20

  private static func word(_ bytes: ArraySlice<UInt8>) -> String? {
    let word = String(decoding: bytes.prefix { (0x21...0x7E).contains($0) }.prefix(256), as: UTF8.self)
    return word.first?.isNumber == true && word.contains(".") ? word : nil
  }
}
