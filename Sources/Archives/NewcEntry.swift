// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// What the header of an entry in a newc cpio archive says.
public struct NewcEntry: Hashable, Sendable {
  /// Where it would be.
  public let path: FilePath
  /// Its type and permissions, as `st_mode` has them.
  public let mode: UInt32
  /// The bytes that follow.
  public let size: Int64
  /// What all names of the same file have in common; nil if it has only one name.
  public let linkKey: LinkKey?

  /// Whether it is a regular file.
  public var isFile: Bool { mode & 0o170000 == 0o100000 }

  /// A file as the archive numbers it.
  public struct LinkKey: Hashable, Sendable {
    let inode: UInt32
    let device: [UInt32]
  }
}

/// The fixed part of a header: a magic number and thirteen numbers of eight hexadecimal digits.
struct NewcHeader {
  static let length = 110
  private static let magics = [Array("070701".utf8), Array("070702".utf8)]
  private let fields: [UInt32]

  /// Parses a header; nil if it is not one.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.length, Self.magics.contains(Array(bytes.prefix(6))) else { return nil }
    var fields: [UInt32] = []
    for start in stride(from: 6, to: Self.length, by: 8) {
      var value: UInt32 = 0
      for byte in bytes[start..<start + 8] {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
        value = value << 4 | UInt32(digit)
      }
      fields.append(value)
    }
    self.fields = fields
  }

  var size: Int64 { Int64(fields[6]) }

  var nameLength: Int { Int(fields[11]) }

  func entry(named name: FilePath) -> NewcEntry {
    let key = fields[4] > 1 ? NewcEntry.LinkKey(inode: fields[0], device: [fields[7], fields[8]]) : nil
    return NewcEntry(path: name, mode: fields[1], size: size, linkKey: key)
  }
}
