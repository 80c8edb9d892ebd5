// SPDX-License-Identifier: GPL-2.0-or-later

/// Finds where frames of zstd or lz4 end, without decompressing them: libarchive takes what follows them for damage.
struct FrameWalk: ~Copyable {
  private let bytes: ByteReader
  /// The maximum size of a compressed block in the legacy lz4 format, which the kernel reads.
  private static let largestLegacyBlock: UInt32 = (8 << 20) + (8 << 20) / 255 + 16

  /// The bytes of a compression's frames that follow each other at the beginning of a range; nil where one is damaged.
  static func length(
    of range: FileRange, _ compression: StreamCompression
  ) throws(ArchiveError) -> Int64? {
    let walk = FrameWalk(bytes: ByteReader(range))
    while let isWhole = try walk.skipFrame(of: compression) {
      guard isWhole else { return nil }
    }
    return walk.bytes.position
  }

  /// Skips the next frame; returns whether it was whole, and nil if what follows is not such a frame.
  private func skipFrame(of compression: StreamCompression) throws(ArchiveError) -> Bool? {
    switch (compression, try number(of: bytes.peek(4))) {
    case (.zstd, 0xFD2F_B528): try skipZstdFrame()
    case (.lz4, 0x184D_2204): try skipLZ4Frame()
    case (.lz4, 0x184C_2102): try skipLegacyFrame()
    case (.zstd, 0x184D_2A50...0x184D_2A5F), (.lz4, 0x184D_2A50...0x184D_2A5F): try skipSkippableFrame()
    default: nil
    }
  }

  private func skipZstdFrame() throws(ArchiveError) -> Bool {
    let start = try bytes.take(5)
    guard start.count == 5 else { return false }
    let descriptor = start[4]
    let isSingleSegment = descriptor & 0x20 != 0
    let sizeLength: [Int64] = [isSingleSegment ? 1 : 0, 2, 4, 8]
    let dictionaryLength: [Int64] = [0, 1, 2, 4]
    let rest =
      (isSingleSegment ? 0 : 1) + dictionaryLength[Int(descriptor & 3)] + sizeLength[Int(descriptor >> 6)]
    guard try bytes.skip(rest) else { return false }
    while true {
      let header = try bytes.take(3)
      guard header.count == 3 else { return false }
      let value = number(of: header)
      let isRepeatedByte = value >> 1 & 3 == 1
      guard try bytes.skip(isRepeatedByte ? 1 : Int64(value >> 3)) else { return false }
      if value & 1 == 1 { break }
    }
    let hasChecksum = descriptor & 4 != 0
    return try bytes.skip(hasChecksum ? 4 : 0)
  }

  private func skipLZ4Frame() throws(ArchiveError) -> Bool {
    let start = try bytes.take(6)
    guard start.count == 6 else { return false }
    let has = { (bit: UInt8) in start[4] & bit != 0 }
    guard try bytes.skip((has(0x08) ? 8 : 0) + (has(0x01) ? 4 : 0) + 1) else { return false }
    while true {
      let header = try bytes.take(4)
      guard header.count == 4 else { return false }
      let size = Int64(number(of: header) & 0x7FFF_FFFF)
      if size == 0 { break }
      guard try bytes.skip(size + (has(0x10) ? 4 : 0)) else { return false }
    }
    return try bytes.skip(has(0x04) ? 4 : 0)
  }

  /// A legacy frame has no end mark: it goes on as long as the next number can be the size of a block.
  private func skipLegacyFrame() throws(ArchiveError) -> Bool {
    _ = try bytes.take(4)
    while case let header = try bytes.peek(4), header.count == 4 {
      let size = number(of: header)
      guard size > 0, size <= Self.largestLegacyBlock else { break }
      guard try bytes.skip(4 + Int64(size)) else { return false }
    }
    return true
  }

  private func skipSkippableFrame() throws(ArchiveError) -> Bool {
    let header = try bytes.take(8)
    guard header.count == 8 else { return false }
    return try bytes.skip(Int64(number(of: Array(header.dropFirst(4)))))
  }

  private func number(of bytes: [UInt8]) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}
