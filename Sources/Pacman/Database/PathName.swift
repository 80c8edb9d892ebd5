// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import SystemPackage

/// A path someone asks about, without the slashes that may or may not be there.
struct PathName {
  /// The path without slashes at either end.
  private let bytes: [UInt8]
  /// A slash at the end was given, so only a directory can be meant.
  private let isDirectory: Bool

  /// Nil for what no file list can contain: nothing at all, or a newline or NUL within.
  init?(_ path: String) {
    let relative = path.utf8.drop { $0 == .slash }
    guard let last = relative.lastIndex(where: { $0 != .slash }) else { return nil }
    bytes = Array(relative[...last])
    guard !bytes.contains(.newline), !bytes.contains(0) else { return nil }
    isDirectory = relative.last == .slash
  }

  /// The ways in which a file list may spell it.
  var spellings: [String] {
    let name = String(decoding: bytes, as: UTF8.self)
    return isDirectory ? [name + "/"] : [name, name + "/"]
  }

  /// Whether a file list's line is one of the spellings.
  func matches(_ line: UnsafeRawBufferPointer) -> Bool {
    switch line.count - bytes.count {
    case 0: !isDirectory && line.hasPrefix(bytes)
    case 1: line.last == .slash && line.hasPrefix(bytes)
    default: false
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes begin with these.
  func hasPrefix(_ prefix: [UInt8]) -> Bool {
    guard count >= prefix.count, let baseAddress else { return prefix.isEmpty }
    return memcmp(baseAddress, prefix, prefix.count) == 0
  }
}

/// One path together with a package that owns it.
public struct OwnedPath: Hashable, Sendable {
  /// The owning package's name.
  public var package: String

  /// The path as the database stores it: no leading slash, and `/` after a directory.
  public var path: String

  /// Makes the value.
  public init(package: String, path: String) {
    self.package = package
    self.path = path
  }
}

/// One entry of a directory, out of readdir(3).
struct DirectoryEntry {
  let name: String
  let isDirectory: Bool
}

extension DirectoryEntry {
  /// Reads a directory in the order in which the file system lists it, `.` and `..` included.
  static func all(in directory: String) throws(Errno) -> [DirectoryEntry] {
    guard let stream = opendir(directory) else { throw Errno(rawValue: errno) }
    defer { closedir(stream) }

    var entries: [DirectoryEntry] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let isDirectory =
        Int(entry.pointee.d_type) == DT_UNKNOWN
        ? Self.isDirectory("\(directory)/\(name)") : Int(entry.pointee.d_type) == DT_DIR
      entries.append(DirectoryEntry(name: name, isDirectory: isDirectory))
    }
    return entries
  }

  /// Whether the path leads to a directory; links are followed.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
