// SPDX-License-Identifier: GPL-2.0-or-later

/// Reads a source byte by byte, and keeps only one chunk of it.
public final class ByteReader: ByteSource {
  /// How many bytes were taken.
  public private(set) var position: Int64 = 0
  private let source: any ByteSource
  private var chunk: ArraySlice<UInt8> = []

  /// Reads from the source's next byte on.
  public init(_ source: any ByteSource) { self.source = source }

  /// The next byte, without consuming it; nil at the end.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func peek() throws(ArchiveError) -> UInt8? {
    if chunk.isEmpty { chunk = try source.nextChunk()[...] }
    return chunk.first
  }

  /// The next bytes, without consuming them; fewer than asked for at the end.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func peek(_ count: Int) throws(ArchiveError) -> [UInt8] {
    while chunk.count < count {
      let more = try source.nextChunk()
      if more.isEmpty { break }
      chunk += more
    }
    return Array(chunk.prefix(count))
  }

  /// What is left of the chunk at hand, or the next one; none at the end.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func nextChunk() throws(ArchiveError) -> [UInt8] { try piece(upTo: .max) }

  /// The next bytes, at least one and no more than this many; none at the end.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func piece(upTo count: Int64) throws(ArchiveError) -> [UInt8] {
    guard count > 0, try peek() != nil else { return [] }
    let piece = chunk.prefix(Int(min(count, Int64(chunk.count))))
    chunk = chunk.dropFirst(piece.count)
    position += Int64(piece.count)
    return Array(piece)
  }

  /// This many bytes, fewer at the end.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func take(_ count: Int) throws(ArchiveError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let piece = try piece(upTo: Int64(count - bytes.count))
      if piece.isEmpty { break }
      bytes += piece
    }
    return bytes
  }

  /// Skips this many bytes; returns whether they were all there.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func skip(_ count: Int64) throws(ArchiveError) -> Bool {
    var left = count
    while left > 0 {
      let piece = try piece(upTo: left)
      if piece.isEmpty { return false }
      left -= Int64(piece.count)
    }
    return true
  }

  /// Passes over zeros.
  ///
  /// - Throws: `ArchiveError` of the source.
  public func skipZeros() throws(ArchiveError) {
    while try peek() == 0 {
      let zeros = chunk.prefix { $0 == 0 }
      chunk = chunk.dropFirst(zeros.count)
      position += Int64(zeros.count)
    }
  }
}
