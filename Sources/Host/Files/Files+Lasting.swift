// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// Names that outlive a power loss: a directory's own name is on the disk when the directory that holds it is synced.
extension Files {
  /// Makes a directory and those above it, mode 0755, and brings their names to the disk.
  ///
  /// What is there already is left as it is, and costs nothing.
  ///
  /// - Throws: `HostError` where one of them cannot be made or synced.
  public static func makeLastingDirectories(_ path: FilePath) throws(HostError) {
    if try isDirectory(path) { return }
    let parent = path.removingLastComponent()
    if !parent.isEmpty && parent != path { try makeLastingDirectories(parent) }
    try makeDirectories(path)
    try synchronize(parent)
  }
}
