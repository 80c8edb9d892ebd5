// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import SystemPackage

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
