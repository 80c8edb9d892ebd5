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
    /// Bytes of a dictionary, which decompression keeps in memory.
    public var dictionary: Int64 = 128 << 20

    /// Makes the default limits, which are far above what images need.
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
    var rest = range
    while true {
      let start = rest.position
      let bytes = ByteReader(rest)
      guard try walk.readPlain(bytes, body) else { break }
      rest = FileRange(start + bytes.position..<range.end, of: range)
      try walk.readCompressed(&rest, body)
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
  private var unpacked: Int64 = 0

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

  /// Reads archives that are compressed; leaves what follows them.
  mutating func readCompressed(
    _ range: inout FileRange, _ body: (NewcEntry, NewcContents) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    let start = range.position
    let magic = try range.bytes(at: start, count: StreamCompression.magicLength)
    guard let compression = StreamCompression(magic: magic) else {
      throw damaged("it is neither a cpio archive nor compressed in a way that is known here")
    }
    let length = try self.length(of: range, compression)
    let end = length.map { start + $0 } ?? range.end
    let stream = try Decompressor(
      FileRange(start..<end, of: range), compression, in: file, limit: limits.bytes - unpacked)
    let bytes = ByteReader(stream)
    guard try !readPlain(bytes, body) else { throw damaged("what is compressed in it is no cpio archive") }
    unpacked += bytes.position
    let used = length ?? stream.consumed
    // Each round must make progress, whatever is in the file.
    guard used > 0 else { throw damaged("the compressed data in it is damaged") }
    range = FileRange(start + used..<range.end, of: range)
  }

  /// How much of a range is compressed.
  ///
  /// This must be known beforehand for formats after which libarchive takes anything that follows for damage.
  ///
  /// No dictionary may be larger than allowed. For zstd libarchive enforces the usual limit itself, and the
  /// other formats have small ones.
  private func length(
    of range: FileRange, _ compression: StreamCompression
  ) throws(ArchiveError) -> Int64? {
    let whole = FileRange(range.position..<range.end, of: range)
    let extent: (length: Int64?, dictionary: Int64)?
    switch compression {
    case .zstd, .lz4: extent = try FrameWalk.length(of: whole, compression).map { ($0, 0) }
    case .xz: extent = try XZWalk.extent(of: whole).map { ($0.length, $0.dictionary) }
    case .lzma:
      let size = try range.bytes(at: range.position + 1, count: 4)
      extent = (nil, size.reversed().reduce(0) { $0 << 8 | Int64($1) })
    case .gzip, .bzip2: extent = (nil, 0)
    }
    guard let extent else { throw damaged("the compressed data in it is damaged or truncated") }
    guard extent.dictionary <= limits.dictionary else {
      throw damaged(
        "unpacking it takes \(extent.dictionary >> 20) MiB, more than the \(limits.dictionary >> 20) allowed")
    }
    return extent.length
  }

  func damaged(_ words: String) -> ArchiveError { ArchiveError(.read, file, .damaged(words)) }
}
