// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import SystemPackage

extension HookedSystem {
  /// Writes an image as booster makes it, with one module: the one installed for 6.1.0, or other contents of its name.
  ///
  /// Below the name of a unified kernel image it is one, with nothing else in it.
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
    try Files.write(path.hasSuffix(".efi") ? Self.unified(archive) : archive, to: FilePath(path))
  }

  /// The least that is a PE file with an initramfs.
  private static func unified(_ archive: [UInt8]) -> [UInt8] {
    let number = { (value: Int) in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let stub = Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + number(64)
    let header = Array("PE\0\0".utf8) + [0x64, 0x86, 1, 0] + [UInt8](repeating: 0, count: 16)
    let section =
      Array(".initrd\0".utf8) + number(archive.count) + number(0) + number(archive.count) + number(128)
      + [UInt8](repeating: 0, count: 16)
    return stub + header + section + archive
  }
}
