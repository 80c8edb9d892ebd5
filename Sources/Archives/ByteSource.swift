// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage

/// Bytes that come in pieces, from a file or out of something larger.
public protocol ByteSource: AnyObject {
  /// The next bytes; none at the end.
  ///
  /// - Throws: `ArchiveError` that names the file they come from.
  func nextChunk() throws(ArchiveError) -> [UInt8]
}

/// The bytes of a part of a file.
public final class FileRange: ByteSource {
  /// The file.
  public let file: FilePath
  /// Where the next byte lies in the file.
  public private(set) var position: Int64
  /// Where the part ends.
  public let end: Int64
  private let descriptor: OpenFile
  private static let chunkSize: Int64 = 1 << 16

  /// Opens a whole file.
  ///
  /// - Throws: `ArchiveError` where it cannot be opened, or is no regular file.
  public init(of file: FilePath) throws(ArchiveError) {
    self.file = file
    position = 0
    do throws(HostError) {
      descriptor = OpenFile(try Files.open(file))
    } catch {
      if case .notAFile = error.reason {
        throw ArchiveError(.read, file, .damaged("it is not a regular file"))
      }
      throw ArchiveError(.read, file, error)
    }
    do throws(Errno) { end = try descriptor.size() } catch {
      throw ArchiveError(.read, file, .system(error, file))
    }
  }

  /// A part of the same file, clamped to this one.
  public init(_ range: Range<Int64>, of whole: FileRange) {
    file = whole.file
    descriptor = whole.descriptor
    position = min(range.lowerBound, whole.end)
    end = min(range.upperBound, whole.end)
  }

  /// The next bytes; none at the end.
  ///
  /// - Throws: `ArchiveError` where the system cannot read them.
  public func nextChunk() throws(ArchiveError) -> [UInt8] {
    let chunk = try bytes(at: position, count: Int(min(Self.chunkSize, end - position)))
    position += Int64(chunk.count)
    return chunk
  }

  /// Bytes from anywhere in the file, fewer at its end; what comes next stays as it is.
  ///
  /// - Throws: `ArchiveError` where the system cannot read them.
  public func bytes(at offset: Int64, count: Int) throws(ArchiveError) -> [UInt8] {
    let count = Int(max(0, min(Int64(count), end - offset)))
    guard count > 0 else { return [] }
    do throws(Errno) {
      // Reading a whole image takes seconds, so a cancelled task stops here.
      if Task.isCancelled { throw .interrupted }
      return try descriptor.read(at: offset, count: count)
    } catch {
      throw ArchiveError(.read, file, .system(error, file))
    }
  }
}

/// A file that is closed with the last reference to it.
private final class OpenFile {
  private let descriptor: FileDescriptor

  init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  deinit { try? descriptor.close() }

  func size() throws(Errno) -> Int64 {
    do { return try descriptor.seek(offset: 0, from: .end) } catch { throw error as? Errno ?? .ioError }
  }

  func read(at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
    do {
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        while initialized < count {
          let rest = UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...])
          let got = try descriptor.read(fromAbsoluteOffset: offset + Int64(initialized), into: rest)
          if got == 0 { break }
          initialized += got
        }
      }
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}

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
