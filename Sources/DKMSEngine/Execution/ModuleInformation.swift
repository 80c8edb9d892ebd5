// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// What a module file says of itself in the ELF section `.modinfo`.
struct ModuleInformation {
  private let entries: [Substring]

  /// Reads an uncompressed module; one that is no ELF file says nothing.
  init(of file: FilePath) { self.init((try? Files.read(file)) ?? []) }

  init(_ bytes: [UInt8]) {
    let section = ELF(bytes)?.section(".modinfo") ?? []
    entries = section.split(separator: 0).map { Substring(decoding: $0, as: UTF8.self) }
  }

  /// The first value of a field.
  subscript(field: String) -> String? {
    entries.first { $0.hasPrefix("\(field)=") }.map { String($0.dropFirst(field.count + 1)) }
  }
}

/// The section table of an ELF file of either size and byte order; a field that lies outside the file is nil.
private struct ELF {
  private let bytes: [UInt8]
  private let isWide: Bool
  private let isBigEndian: Bool

  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: [0x7F] + Array("ELF".utf8)), bytes.count > 5 else { return nil }
    self.bytes = bytes
    isWide = bytes[4] == 2
    isBigEndian = bytes[5] == 2
  }

  func section(_ name: String) -> ArraySlice<UInt8>? {
    guard let table = number(at: isWide ? 0x28 : 0x20, word),
      let size = number(at: isWide ? 0x3A : 0x2E, 2), let count = number(at: isWide ? 0x3C : 0x30, 2),
      let namesIndex = number(at: isWide ? 0x3E : 0x32, 2),
      let names = contents(at: table + namesIndex * size)
    else { return nil }
    for header in (0..<count).map({ table + $0 * size }) {
      guard let offset = number(at: header, 4), offset < names.count else { continue }
      if names.dropFirst(offset).prefix(while: { $0 != 0 }).elementsEqual(name.utf8) {
        return contents(at: header)
      }
    }
    return nil
  }

  private var word: Int { isWide ? 8 : 4 }

  private func contents(at header: Int) -> ArraySlice<UInt8>? {
    guard let offset = number(at: header + (isWide ? 0x18 : 0x10), word),
      let size = number(at: header + (isWide ? 0x20 : 0x14), word),
      offset <= bytes.count, size <= bytes.count - offset
    else { return nil }
    return bytes[offset..<offset + size]
  }

  private func number(at offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let digits = bytes[offset..<offset + size]
    let value = (isBigEndian ? Array(digits) : digits.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // Nothing in a file that fits in memory lies further away, and sums of such numbers fit, too.
    return value < 1 << 40 ? Int(value) : nil
  }
}
