// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

/// Archives as a kernel unpacks them at its start: newc cpio archives that follow each other, with zeros between
/// them, some of them compressed.
public struct InitramfsArchive: Sendable {
  /// How much there may be.
  public struct Limits: Hashable, Sendable {
    /// Entries of all archives together.
    public var entries = 1_000_000
    /// Bytes that come out of what is compressed, all together.
    public var bytes: Int64 = 4 << 30

    /// Makes the limits for images, which are far below them.
    public init() {}
  }

  private let limits: Limits

  /// Makes a reader.
  public init(limits: Limits = Limits()) { self.limits = limits }

  /// Reads part of a file to its end and hands on each entry with its contents, of which the body reads what it
  /// likes.
  ///
  /// - Throws: `ArchiveError` where the file is no such archive, damaged, or too much; what the body throws.
  public func read(
    _ range: FileRange, _ body: (NewcEntry, NewcContents) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    var walk = Walk(file: range.file, limits: limits)
    let start = range.position
    let bytes = ByteReader(range)
    while try walk.readPlain(bytes, body) {
      let offset = start + bytes.position
      let magic = try range.bytes(at: offset, count: StreamCompression.magicLength)
      guard let compression = StreamCompression(magic: magic) else {
        throw walk.damaged("it is neither a cpio archive nor compressed in a way that is known here")
      }
      let rest = FileRange(offset..<range.end, of: range)
      let stream = try Decompressor(rest, compression, in: range.file, limit: limits.bytes)
      guard try !walk.readPlain(ByteReader(stream), body) else {
        throw walk.damaged("what is compressed in it is no cpio archive")
      }
      break
    }
    guard walk.archives > 0 else { throw walk.damaged("there is no archive in it") }
  }
}

/// What was read so far.
private struct Walk {
  let file: FilePath
  let limits: InitramfsArchive.Limits
  private(set) var archives = 0
  private var entries = 0

  init(file: FilePath, limits: InitramfsArchive.Limits) {
    self.file = file
    self.limits = limits
  }

  /// Reads archives that are not compressed; whether something else follows them.
  mutating func readPlain(
    _ bytes: ByteReader, _ body: (NewcEntry, NewcContents) throws(ArchiveError) -> Void
  ) throws(ArchiveError) -> Bool {
    while true {
      try bytes.skipZeros()
      guard let first = try bytes.peek() else { return false }
      guard first == UInt8(ascii: "0") else { return true }
      archives += 1
      let archive = NewcReader(bytes, in: file)
      while let (entry, contents) = try archive.next() {
        entries += 1
        guard entries <= limits.entries else {
          throw damaged("it has more than \(limits.entries) entries")
        }
        try body(entry, contents)
        try archive.finish(contents)
      }
    }
  }

  func damaged(_ words: String) -> ArchiveError { ArchiveError(.read, file, .damaged(words)) }
}
