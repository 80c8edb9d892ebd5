// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// What a directory holds, in one digest: every name, what it is, whether it may be executed, and its bytes or the
/// target of the link.
///
/// Owners and times are left out: the same package, unpacked again, gives the same digest.
enum TreeDigest {
  /// The digest of a directory; nil where the directory does not hold all that it leads to: a link leads out of it,
  /// or something in it is neither file, directory nor link.
  ///
  /// - Throws: `HostError` where a look failed.
  static func digest(of directory: FilePath) throws(HostError) -> String? {
    var digest = SHA256()
    return try add(directory, below: directory, to: &digest) ? digest.finish() : nil
  }

  private static func add(
    _ directory: FilePath, below root: FilePath, to digest: inout SHA256
  ) throws(HostError) -> Bool {
    for name in try Files.components(of: directory) {
      let path = directory.appending(name)
      digest.add(name.bytes)
      switch try Files.kind(path) {
      case .directory:
        digest.add(Array("/".utf8))
        guard try add(path, below: root, to: &digest) else { return false }
        digest.add(Array("/".utf8))
      case .file:
        let bytes = try Files.read(path)
        // Sizes keep the end of one file apart from the next one's name.
        digest.add(Array("\0\(try Files.isExecutable(path) ? "x" : "-")\(bytes.count)\0".utf8))
        digest.add(bytes)
      case .link:
        guard let target = try Files.linkTarget(path), target.isRelative,
          directory.pushing(target).lexicallyNormalized().starts(with: root.lexicallyNormalized())
        else { return false }
        digest.add(Array("\0>\(target)\0".utf8))
      case .other, nil: return false
      }
    }
    return true
  }
}
