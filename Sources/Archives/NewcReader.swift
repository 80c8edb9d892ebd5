// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

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
