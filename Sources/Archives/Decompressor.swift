// SPDX-License-Identifier: GPL-2.0-or-later

internal import CArchive
public import SystemPackage

/// How a stream of bytes is compressed, told by how it begins.
public enum StreamCompression: String, CaseIterable, Sendable {
  /// By gzip.
  case gzip
  /// By bzip2.
  case bzip2
  /// By lzma, the format without a magic number that xz replaced.
  case lzma
  /// By xz.
  case xz
  /// By zstd.
  case zstd
  /// By lz4, in frames of today or of the kind that the kernel reads.
  case lz4

  /// How many bytes it takes to tell the formats apart.
  public static let magicLength = 6

  /// The compression of a stream that begins like this; nil where it is none of them.
  public init?(magic: [UInt8]) {
    let known = Self.allCases.first { compression in
      compression.beginnings.contains { magic.starts(with: $0) }
    }
    guard let known else { return nil }
    self = known
  }

  private var beginnings: [[UInt8]] {
    switch self {
    case .gzip: [[0x1F, 0x8B]]
    case .bzip2: [Array("BZh".utf8)]
    case .lzma: [[0x5D, 0x00, 0x00]]
    case .xz: [[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]]
    case .zstd: [[0x28, 0xB5, 0x2F, 0xFD]]
    case .lz4: [[0x04, 0x22, 0x4D, 0x18], [0x02, 0x21, 0x4C, 0x18]]
    }
  }

  var filter: Int32 {
    switch self {
    case .gzip: ARCHIVE_FILTER_GZIP
    case .bzip2: ARCHIVE_FILTER_BZIP2
    case .lzma: ARCHIVE_FILTER_LZMA
    case .xz: ARCHIVE_FILTER_XZ
    case .zstd: ARCHIVE_FILTER_ZSTD
    case .lz4: ARCHIVE_FILTER_LZ4
    }
  }
}

/// Decompresses a stream while it is read.
public final class Decompressor: ByteSource {
  private let library: ArchiveLibrary
  private let handle: OpaquePointer
  private let feed: Feed
  private let file: FilePath
  private let limit: Int64
  private var left: Int64
  private var isStarted = false
  private static let chunkSize = 1 << 16

  /// Begins to read.
  ///
  /// - Parameters:
  ///   - source: The compressed bytes.
  ///   - compression: How they are compressed.
  ///   - file: The file that errors name.
  ///   - limit: How many bytes may come out at most; more is an error.
  /// - Throws: `ArchiveError` where libarchive is missing.
  public init(
    _ source: any ByteSource, _ compression: StreamCompression, in file: FilePath, limit: Int64
  ) throws(ArchiveError) {
    library = try ArchiveLibrary(for: .read, file)
    guard let handle = library.reader.new() else {
      throw ArchiveError(.read, file, .system(.noMemory, file))
    }
    self.handle = handle
    self.file = file
    self.limit = limit
    left = limit
    feed = Feed(source)
    _ = library.reader.supportFilter(handle, compression.filter)
    _ = library.reader.supportRaw(handle)
  }

  /// The bytes of a stream that may be compressed, which its beginning tells.
  ///
  /// - Throws: `ArchiveError` where it cannot be read.
  public static func plainBytes(
    of source: any ByteSource, in file: FilePath, limit: Int64
  ) throws(ArchiveError) -> any ByteSource {
    let bytes = ByteReader(source)
    guard let compression = StreamCompression(magic: try bytes.peek(StreamCompression.magicLength)) else {
      return bytes
    }
    return try Decompressor(bytes, compression, in: file, limit: limit)
  }

  deinit { _ = library.reader.free(handle) }

  /// The next bytes that come out; none at the end.
  ///
  /// - Throws: `ArchiveError` where the stream is damaged, or holds more than it may.
  public func nextChunk() throws(ArchiveError) -> [UInt8] {
    if !isStarted { try start() }
    var count = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, initialized in
      count = library.reader.data(handle, buffer.baseAddress, buffer.count)
      initialized = max(count, 0)
    }
    guard count >= 0 else { throw failure }
    left -= Int64(count)
    guard left >= 0 else {
      throw ArchiveError(.read, file, .damaged("it unpacks to more than \(limit) bytes"))
    }
    return chunk
  }

  /// How many bytes of the source were used: at the end, this is where the stream ends in it.
  var consumed: Int64 { library.reader.filterBytes(handle, -1) }

  private func start() throws(ArchiveError) {
    isStarted = true
    // The feed lives as long as this object, so it outlives the handle.
    let client = Unmanaged.passUnretained(feed).toOpaque()
    let code = library.reader.openSource(
      handle, client, nil,
      { _, client, bytes in
        guard let client else { return -1 }
        return Unmanaged<Feed>.fromOpaque(client).takeUnretainedValue().next(bytes)
      }, nil)
    var entry: OpaquePointer?
    guard code >= ARCHIVE_WARN, library.reader.nextHeader(handle, &entry) >= ARCHIVE_WARN else {
      throw failure
    }
    // If no filter recognized the stream, its bytes would come out unchanged.
    guard library.reader.filterCode(handle, 0) != ARCHIVE_FILTER_NONE else {
      throw ArchiveError(.read, file, .damaged("the compressed data in it is damaged"))
    }
  }

  private var failure: ArchiveError {
    feed.failure ?? ArchiveError(.read, file, library.failure(of: handle))
  }
}

/// Hands a source to libarchive chunk by chunk; each chunk stays in memory until the next one is asked for.
private final class Feed {
  private(set) var failure: ArchiveError?
  private let source: any ByteSource
  private var buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 0)

  init(_ source: any ByteSource) { self.source = source }

  deinit { buffer.deallocate() }

  /// Gives the address of the next bytes and their number; 0 at the end, -1 after a failure.
  func next(_ address: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    do throws(ArchiveError) {
      let chunk = try source.nextChunk()
      if buffer.count < chunk.count {
        buffer.deallocate()
        buffer = .allocate(capacity: chunk.count)
      }
      _ = buffer.update(fromContentsOf: chunk)
      address?.pointee = UnsafeRawPointer(buffer.baseAddress)
      return chunk.count
    } catch {
      failure = error
      return -1
    }
  }
}
