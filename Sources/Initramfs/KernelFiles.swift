// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSModel
public import Host
public import SystemPackage

/// The kernels that lie where boot loaders take them, as files.
public struct KernelFiles: Sendable {
  private let system: BootSystem

  /// Looks at a system.
  public init(_ system: BootSystem) { self.system = system }

  /// The files of these kernels, and those that should be one of them but are kernels without modules.
  ///
  /// The latter are what an upgrade leaves where the boot partition was not mounted or could not be written to.
  ///
  /// - Parameters:
  ///   - kernels: The kernels.
  ///   - presets: The kernels of presets, each with the name of its preset file, which is that of the package base.
  /// - Returns: The files, and the looks that failed.
  public func strays(
    among kernels: [BootableKernel], presets: [String: Set<FilePath>] = [:]
  ) -> StrayKernels {
    var strays = StrayKernels()
    for kernel in kernels {
      do throws(HostError) {
        let named = presets[kernel.packageBase ?? ""] ?? []
        for file in try named.union(files(of: kernel)).sorted(by: { $0.string < $1.string }) {
          let release = try KernelImage.release(in: file)
          if let stray = try stray(file, release, for: kernel) { strays.found.append(stray) }
          guard try Files.isFile(file), release.map({ $0 == kernel.kernel.release.description }) != false
          else { continue }
          strays.files.append(KernelFile(path: file.string, release: release, kernel: kernel.kernel))
        }
      } catch {
        strays.problems.append(GenerationError(error))
      }
    }
    return strays
  }

  /// The release that a kernel tells itself, also one in a unified kernel image; nil where it tells none.
  ///
  /// - Throws: `HostError` where it cannot be read.
  public func release(in file: FilePath) throws(HostError) -> String? {
    guard file.string.lowercased().hasSuffix(".efi") else { return try KernelImage.release(in: file) }
    do throws(ArchiveError) { return try UnifiedKernelImage(FileRange(of: file)).release() } catch {
      guard case .system(let errno, let path) = error.reason else { return nil }
      throw HostError("read", path, errno)
    }
  }

  private func stray(
    _ file: FilePath, _ release: String?, for kernel: BootableKernel
  ) throws(HostError) -> StrayKernel? {
    guard let release, release != kernel.kernel.release.description, try !system.hasModules(of: release)
    else { return nil }
    let replacement = system.modules(of: kernel).appending("vmlinuz")
    return StrayKernel(
      path: file.string, release: release, kernel: kernel.kernel,
      replacement: try Files.isFile(replacement) ? replacement.string : nil)
  }

  /// The files that are called as Arch, kernel-install and boot loaders call those of a kernel.
  private func files(of kernel: BootableKernel) throws(HostError) -> [FilePath] {
    let release = kernel.kernel.release.description
    let names = [kernel.packageBase, release].compactMap { $0 }
    var files: [FilePath] = []
    for directory in BootSystem.bootDirectories.map(system.place) {
      files += names.map { directory.appending("vmlinuz-\($0)") }
      for (entry, kind) in try Files.listing(directory) where kind == .directory || kind == .link {
        let inside = directory.appending(entry)
        files.append(inside.appending(release).appending("linux"))
        if let base = kernel.packageBase {
          files.append(inside.appending(base).appending("vmlinuz-\(base)"))
        }
      }
      let vendors = directory.appending("EFI")
      for (vendor, kind) in try Files.listing(vendors) where kind == .directory {
        files += names.map { vendors.appending(vendor).appending("vmlinuz-\($0)") }
      }
    }
    return try files.where(Files.isFile)
  }
}

/// A file that is a kernel.
public struct KernelFile: Hashable, Sendable {
  /// Where it is.
  public let path: String
  /// The release that it tells itself; nil where it tells none.
  public let release: String?
  /// The kernel that it is.
  public let kernel: Kernel
}

/// What a look at the files of kernels has shown.
public struct StrayKernels: Hashable, Sendable {
  /// The files that are the kernels, or may be, as they do not tell.
  public var files: [KernelFile] = []
  /// The files that are other kernels than they should be.
  public var found: [StrayKernel] = []
  /// The looks that failed.
  public var problems: [GenerationError] = []
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
    if hasHeader(bytes) { return release(inHeader: bytes) }
    let banner = Array("Linux version ".utf8)
    let all = try Files.read(file, upTo: sizeLimit)
    var index = 0
    while let next = all[index...].firstIndex(of: banner[0]) {
      if all[next...].starts(with: banner) { return word(all[(next + banner.count)...]) }
      index = next + 1
    }
    return nil
  }

  /// The release that the first `headerReach` bytes of an x86 kernel tell; nil where they tell none.
  static func release(inHeader bytes: [UInt8]) -> String? {
    guard hasHeader(bytes) else { return nil }
    let offset = 0x200 + Int(bytes[0x20E]) + Int(bytes[0x20F]) << 8
    return offset < bytes.count ? word(bytes[offset...]) : nil
  }

  private static func hasHeader(_ bytes: [UInt8]) -> Bool {
    bytes.count > 0x210 && bytes[0x202..<0x206].elementsEqual("HdrS".utf8)
  }

  /// How far into the file the text can lie that the header leads to, in bytes.
  static let headerReach = 0x10400
  private static let sizeLimit = 128 << 20

  /// The word at the start of some text, if a release can be written like this.
  static func word(_ bytes: ArraySlice<UInt8>) -> String? {
    let word = String(decoding: bytes.prefix { (0x21...0x7E).contains($0) }.prefix(256), as: UTF8.self)
    return word.first?.isNumber == true && word.contains(".") ? word : nil
  }
}
