// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// What the header of an entry in a newc cpio archive says.
public struct NewcEntry: Hashable, Sendable {
  /// Where it would be.
  public let path: FilePath
  /// Its type and permissions, as `st_mode` has them.
  public let mode: UInt32
  /// The size of its contents, in bytes.
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

/// Reads one newc cpio archive out of bytes that may go on after it.
///
/// libarchive does not tell where an archive ends, and a kernel reads several that follow each other.
struct NewcReader: ~Copyable {
  private let bytes: ByteReader
  private let file: FilePath
  private let start: Int64
  private static let nameLimit = 4096
  private static let trailer: FilePath = "TRAILER!!!"

  init(_ bytes: ByteReader, in file: FilePath) {
    self.bytes = bytes
    self.file = file
    start = bytes.position
  }

  /// The next entry, whose contents must be read to their end before the one after it; nil after the last.
  func next() throws(ArchiveError) -> (NewcEntry, NewcContents)? {
    let bytes = try bytes.take(NewcHeader.length)
    guard bytes.count == NewcHeader.length else { throw truncated }
    guard let header = NewcHeader(bytes) else {
      throw damaged("a header of a cpio archive in it is damaged, or of a kind that no kernel reads")
    }
    guard (2...Self.nameLimit).contains(header.nameLength) else {
      throw damaged("a cpio archive in it has a name of \(header.nameLength) bytes")
    }
    let name = try self.bytes.take(header.nameLength)
    guard name.count == header.nameLength else { throw truncated }
    try skipPadding()
    let path = name.withUnsafeBytes { buffer in
      FilePath(platformString: buffer.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0])
    }
    guard path != Self.trailer else { return nil }
    return (header.entry(named: path), NewcContents(self.bytes, header.size, in: file))
  }

  /// Passes over what is left of an entry.
  func finish(_ contents: NewcContents) throws(ArchiveError) {
    while try !contents.nextChunk().isEmpty {}
    try skipPadding()
  }

  private func skipPadding() throws(ArchiveError) {
    let excess = (bytes.position - start) % 4
    if excess > 0, try !bytes.skip(4 - excess) { throw truncated }
  }

  private var truncated: ArchiveError { damaged("it is truncated") }

  private func damaged(_ words: String) -> ArchiveError { ArchiveError(.read, file, .damaged(words)) }
}

/// The contents of one entry.
public final class NewcContents: ByteSource {
  private let bytes: ByteReader
  private let file: FilePath
  private var left: Int64

  init(_ bytes: ByteReader, _ size: Int64, in file: FilePath) {
    self.bytes = bytes
    self.file = file
    left = size
  }

  /// The next bytes; none at the end.
  ///
  /// - Throws: `ArchiveError` where the archive ends before them.
  public func nextChunk() throws(ArchiveError) -> [UInt8] {
    guard left > 0 else { return [] }
    let piece = try bytes.piece(upTo: left)
    guard !piece.isEmpty else { throw ArchiveError(.read, file, .damaged("it is truncated")) }
    left -= Int64(piece.count)
    return piece
  }
}
