// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

extension HookedSystem {
  /// Writes an image as booster makes it, with one module: the one installed for 6.1.0, or other contents of its name.
  package func writeImage(to path: String, holding module: String, _ contents: [UInt8]? = nil) throws {
    let installed = layout.installed(try KernelRelease("6.1.0")).appending("\(module).ko")
    let bytes = try contents ?? Files.read(installed)
    var archive: [UInt8] = []
    for (name, contents) in [("usr/lib/modules/\(module).ko", bytes), ("TRAILER!!!", [])] {
      let fields = [1, 0o100644, 0, 0, 1, 0, contents.count, 0, 0, 0, 0, name.utf8.count + 1, 0]
      let digits = fields.map { field in
        let text = String(field, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
      }
      for part in [Array("070701\(digits.joined())\(name)\0".utf8), contents] {
        archive += part
        archive += [UInt8](repeating: 0, count: (4 - archive.count % 4) % 4)
      }
    }
    try Files.makeDirectories(FilePath(path).removingLastComponent())
    try Files.write(archive, to: FilePath(path))
  }
}
