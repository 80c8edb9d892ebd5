// SPDX-License-Identifier: GPL-2.0-or-later

/// How module files are compressed.
public enum Compression: Hashable, Sendable, CaseIterable {
  /// Not at all.
  case none
  /// By gzip.
  case gzip
  /// By xz, with the check that the kernel can verify.
  case xz
  /// By zstd.
  case zstd

  /// What follows `.ko` in the name of such a file.
  public var suffix: String {
    switch self {
    case .none: ""
    case .gzip: ".gz"
    case .xz: ".xz"
    case .zstd: ".zst"
    }
  }

  /// The name of the module in a file of this name; nil for a file that is not a module.
  static func moduleName(ofFile name: String) -> String? {
    for compression in allCases where name.hasSuffix(".ko\(compression.suffix)") {
      return String(name.dropLast(3 + compression.suffix.count))
    }
    return nil
  }
}
