// SPDX-License-Identifier: GPL-2.0-or-later

/// The smallest file that modinfo takes for a kernel module: an ELF object with nothing but `.modinfo`.
package enum ModuleImage {
  package static func bytes(for release: String, version: String = "1.0") -> [UInt8] {
    let information = Array("version=\(version)\0vermagic=\(release) SMP mod_unload \0".utf8)
    let names = Array("\0.modinfo\0.shstrtab\0".utf8)
    let contents = information + names
    let headerSize = 64
    // Little-endian, 64 bits, relocatable, for x86-64; three sections after the contents.
    var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    bytes += number(1, 2) + number(62, 2) + number(1, 4) + number(0, 8) + number(0, 8)
    bytes += number(headerSize + contents.count, 8) + number(0, 4)
    bytes += number(headerSize, 2) + number(0, 2) + number(0, 2) + number(64, 2) + number(3, 2) + number(2, 2)
    bytes += contents
    bytes += section(name: 0, type: 0, offset: 0, size: 0)
    bytes += section(name: 1, type: 1, offset: headerSize, size: information.count)
    bytes += section(name: 10, type: 3, offset: headerSize + information.count, size: names.count)
    return bytes
  }

  private static func section(name: Int, type: Int, offset: Int, size: Int) -> [UInt8] {
    number(name, 4) + number(type, 4) + number(0, 8) + number(0, 8) + number(offset, 8) + number(size, 8)
      + number(0, 4) + number(0, 4) + number(1, 8) + number(0, 8)
  }

  private static func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
