// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import SystemPackage

/// What was found in an image.
public struct ImageContents: Codable, Hashable, Sendable {
  /// The bytes of the file.
  public var size: Int64
  /// The kernel modules in it, of whatever kernel, sorted by path, with digests of their contents.
  public var modules: [ImageModule]
  /// The paths of files and links beside libraries, firmware and modules: programs, hooks and what they read.
  public var programs: Set<String> = []
  /// The generator whose marks are in it; nil where there are none.
  public var maker: ImageGenerator?
  /// The release of the kernel that is in the same file; nil where none is, or where it does not tell.
  public var release: String?
  /// The arguments that dracut noted in it; nil where it noted none.
  public var buildParameters: String?

  /// Describes what was found.
  public init(size: Int64, modules: [ImageModule] = [], buildParameters: String? = nil) {
    self.size = size
    self.modules = modules
    self.buildParameters = buildParameters
  }
}

/// A file of a kernel module in an image.
public struct ImageModule: Codable, Hashable, Sendable {
  /// Where it is, without a slash before it.
  public let path: String
  /// The name of the module, with `_` for `-` as the kernel writes it.
  public let name: String
  /// The release of the kernel in whose directory it lies; nil where the image has one directory for all.
  public let release: String?
  /// A digest of its contents, decompressed; nil where it has none.
  var digest: String?
  /// Why it cannot be decompressed; nil where it can.
  var damage: String?

  /// Recognizes a module below `lib/modules` or `usr/lib/modules`; nil for every other file.
  init?(_ path: FilePath) {
    let parts = path.components.filter { $0.kind == .regular }.map(\.string)
    let below = parts.first == "usr" ? parts.dropFirst() : parts[...]
    guard below.starts(with: ["lib", "modules"]), let file = below.last, let name = ModuleFileName(file)
    else { return nil }
    self.path = parts.joined(separator: "/")
    self.name = name.module
    let inside = below.dropFirst(2)
    release = inside.count > 1 ? inside.first : nil
  }

  /// Whether it can be one of this kernel's.
  public func belongs(to release: String) -> Bool { self.release.map { $0 == release } ?? true }
}

/// The name of a file that holds a kernel module, compressed or not.
struct ModuleFileName {
  /// The module, with `_` for `-` as the kernel writes it.
  let module: String
  private static let suffixes = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"]

  /// Recognizes one; nil for every other file.
  init?(_ file: some StringProtocol) {
    guard let suffix = Self.suffixes.first(where: file.hasSuffix), file.count > suffix.count else {
      return nil
    }
    module = file.dropLast(suffix.count).asKernelModuleName
  }

  /// The path of a module file as it would be without compression.
  static func withoutCompression(_ path: String) -> String {
    guard let suffix = suffixes.first(where: path.hasSuffix) else { return path }
    return path.dropLast(suffix.count) + ".ko"
  }
}
