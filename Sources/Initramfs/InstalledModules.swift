// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
public import SystemPackage

/// The modules that modprobe finds for a kernel: one file a name.
public struct InstalledModules: Sendable {
  private let directory: FilePath
  private let paths: [String: FilePath]

  /// Reads modules.dep in a kernel's module directory.
  public init(in directory: FilePath) {
    self.directory = directory
    paths = Self.entries(of: directory.appending("modules.dep")).reduce(into: [:]) { paths, entry in
      if let file = entry.lastComponent?.string, let name = ModuleFileName(file) {
        paths[name.module] = entry
      }
    }
  }

  /// The file of a module, whichever way its name is written; nil where there is none.
  public func file(of module: String) -> FilePath? {
    guard let path = paths[module.asKernelModuleName] else { return nil }
    // depmod can write absolute paths.
    let file = path.isAbsolute ? path : directory.appending(path.components)
    return Files.isFile(file) ? file : nil
  }

  /// Where the file of a module is below the kernel's directory; nil where there is none.
  func place(of module: String) -> FilePath? {
    guard var place = file(of: module) else { return nil }
    return place.removePrefix(directory) ? place : file(of: module)
  }

  private static func entries(of list: FilePath) -> [FilePath] {
    guard let bytes = try? Files.read(list) else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).map { line in
      FilePath(String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self))
    }
  }
}
