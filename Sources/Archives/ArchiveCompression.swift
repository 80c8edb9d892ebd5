// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// How an archive is compressed when it is written; the raw value is libarchive's name of it.
public enum ArchiveCompression: String, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// By gzip.
  case gzip
  /// By bzip2.
  case bzip2
  /// By xz.
  case xz
  /// By zstd.
  case zstd

  /// The compression that a file's name asks for, as GNU tar's `--auto-compress` understands it.
  public init(forFile file: FilePath) {
    switch file.extension {
    case "gz", "tgz", "taz": self = .gzip
    case "bz2", "tbz", "tbz2", "tz2": self = .bzip2
    case "xz", "txz": self = .xz
    case "zst", "tzst": self = .zstd
    default: self = .none
    }
  }
}
