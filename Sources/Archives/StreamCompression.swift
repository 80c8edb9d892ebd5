// SPDX-License-Identifier: GPL-2.0-or-later

internal import CArchive

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
