// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
package import SystemPackage

extension HookFile {
  /// The hooks that pacman finds in directories, by name; of two with one name that in a later directory counts.
  ///
  /// - Returns: The hooks, and what is wrong with files that are none.
  /// - Throws: `HostError` where a directory cannot be looked into.
  package static func all(
    in directories: [FilePath]
  ) throws(HostError) -> (hooks: [HookFile], problems: [Malformed]) {
    var files: [String: FilePath] = [:]
    for directory in directories {
      for name in try Files.list(directory) where name.hasSuffix(".hook") {
        files[name] = directory.appending(name)
      }
    }
    var hooks: [HookFile] = []
    var problems: [Malformed] = []
    for (name, file) in files.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    where try Files.linkTarget(file) != "/dev/null" {
      do throws(Malformed) {
        guard let bytes = try? Files.read(file) else {
          throw Malformed(name: name, line: nil, text: "it cannot be read")
        }
        hooks.append(try HookFile(name: name, text: String(decoding: bytes, as: UTF8.self)))
      } catch {
        problems.append(error)
      }
    }
    return (hooks, problems)
  }
}
