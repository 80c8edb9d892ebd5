// SPDX-License-Identifier: GPL-2.0-or-later

/// Finds where frames of zstd or lz4 end, without decompressing them: libarchive takes what follows them for damage.
struct FrameWalk: ~Copyable {
  private let bytes: ByteReader
  /// The maximum size of a compressed block in the legacy lz4 format, which the kernel reads.
  private static let largestLegacyBlock: UInt32 = (8 << 20) + (8 << 20) / 255 + 16

  /// The length in bytes of the frames at the beginning of a range; nil where one of them is damaged.
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

/// Goes through xz streams without decompressing them: for where they end, and for what they ask of memory.
///
/// Each block has a dictionary of its own, and libarchive would allow a gibibyte. Zeros end the streams, for libarchive
/// takes only multiples of four between them.
struct XZWalk: ~Copyable {
  private let bytes: ByteReader
  private static let magic: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
  private static let lzma2: UInt64 = 0x21
  private static let checkLengths: [Int64] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]

  /// The length of the streams at the beginning of a range, and the size of the largest dictionary, both in
  /// bytes; nil where one is damaged.
  static func extent(
    of range: FileRange
  ) throws(ArchiveError) -> (length: Int64, dictionary: Int64)? {
    let walk = XZWalk(bytes: ByteReader(range))
    var largest: Int64 = 0
    while try walk.bytes.peek(6) == magic {
      let header = try walk.bytes.take(12)
      guard header.count == 12 else { return nil }
      while let first = try walk.bytes.peek(), first != 0 {
        guard let size = try walk.skipBlock(checkLength: checkLengths[Int(header[7] & 0x0F)]) else {
          return nil
        }
        largest = max(largest, size)
      }
      guard try walk.skipIndexAndFooter() else { return nil }
    }
    return (walk.bytes.position, largest)
  }

  /// Passes over a block; returns the size of its dictionary in bytes, nil where the block is damaged.
  private func skipBlock(checkLength: Int64) throws(ArchiveError) -> Int64? {
    let length = (Int(try bytes.peek() ?? 0) + 1) * 4
    let header = try bytes.take(length)
    guard header.count == length, let size = Self.dictionarySize(inBlockHeader: header) else { return nil }
    let start = bytes.position
    guard try skipChunks() else { return nil }
    let padding = (4 - (bytes.position - start) % 4) % 4
    return try bytes.skip(padding + checkLength) ? size : nil
  }

  private static func dictionarySize(inBlockHeader header: [UInt8]) -> Int64? {
    var rest = header.dropFirst(2)
    for flag: UInt8 in [0x40, 0x80] where header[1] & flag != 0 {
      guard number(from: &rest) != nil else { return nil }
    }
    for _ in 0...header[1] & 3 {
      guard let filter = number(from: &rest), let length = number(from: &rest), length <= rest.count else {
        return nil
      }
      if filter == lzma2 {
        guard let bits = rest.first, length == 1, bits <= 40 else { return nil }
        return bits == 40 ? Int64(UInt32.max) : Int64(2 | bits & 1) << (bits / 2 + 11)
      }
      rest = rest.dropFirst(Int(length))
    }
    return nil
  }

  /// Passes over the chunks of LZMA2 up to the one that ends them.
  private func skipChunks() throws(ArchiveError) -> Bool {
    while let control = try bytes.take(1).first {
      switch control {
      case 0: return true
      case 1, 2:
        let size = try bytes.take(2)
        guard size.count == 2, try bytes.skip(Self.size(size) + 1) else { return false }
      case 0x80...:
        let sizes = try bytes.take(4)
        let properties: Int64 = control >= 0xC0 ? 1 : 0
        guard sizes.count == 4, try bytes.skip(Self.size(sizes.suffix(2)) + 1 + properties) else {
          return false
        }
      default: return false
      }
    }
    return false
  }

  private func skipIndexAndFooter() throws(ArchiveError) -> Bool {
    let start = bytes.position
    _ = try bytes.take(1)
    guard let records = try number() else { return false }
    var left = records
    while left > 0 {
      guard try number() != nil, try number() != nil else { return false }
      left -= 1
    }
    let padding = (4 - (bytes.position - start) % 4) % 4
    return try bytes.skip(padding + 4 + 12)
  }

  private func number() throws(ArchiveError) -> UInt64? {
    var digits: [UInt8] = []
    while let byte = try bytes.take(1).first {
      digits.append(byte)
      if byte & 0x80 == 0 {
        var rest = digits[...]
        return Self.number(from: &rest)
      }
      if digits.count == 9 { break }
    }
    return nil
  }

  /// Takes a number in groups of seven bits, the least first, from the beginning.
  private static func number(from bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for group in 0..<UInt64(9) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << (group * 7)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  private static func size(_ bytes: some Collection<UInt8>) -> Int64 {
    bytes.reduce(0) { $0 << 8 | Int64($1) }
  }
}
