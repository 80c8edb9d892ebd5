// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
public import Host
public import SystemPackage

/// The modules that modprobe finds for a kernel: one file a name.
public struct InstalledModules: Sendable {
  private let directory: FilePath
  private let paths: [String: FilePath]

  /// As much as modules.dep may hold, in bytes; that of a large kernel has a few million.
  private static let sizeLimit = 64 << 20

  /// Reads modules.dep in a kernel's module directory; where there is none there are no modules.
  ///
  /// - Throws: `HostError` where it cannot be read.
  public init(in directory: FilePath) throws(HostError) {
    self.directory = directory
    let list = try Files.contents(directory.appending("modules.dep"), Self.sizeLimit) ?? []
    paths = Self.entries(of: list).reduce(into: [:]) { paths, entry in
      if let file = entry.lastComponent?.string, let name = ModuleFileName(file) {
        paths[name.module] = entry
      }
    }
  }

  /// The file of a module, whichever way its name is written; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  public func file(of module: String) throws(HostError) -> FilePath? {
    guard let path = paths[module.asKernelModuleName] else { return nil }
    // depmod can write absolute paths.
    let file = path.isAbsolute ? path : directory.appending(path.components)
    return try Files.isFile(file) ? file : nil
  }

  /// Where the file of a module is below the kernel's directory; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  func place(of module: String) throws(HostError) -> FilePath? {
    guard let file = try file(of: module) else { return nil }
    var place = file
    return place.removePrefix(directory) ? place : file
  }

  private static func entries(of list: [UInt8]) -> [FilePath] {
    list.split(separator: UInt8(ascii: "\n")).map { line in
      FilePath(String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self))
    }
  }
}
