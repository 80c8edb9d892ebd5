// SPDX-License-Identifier: GPL-2.0-or-later

/// How module files are compressed.
package enum Compression: Hashable, Sendable, CaseIterable {
  /// Not at all.
  case none
  /// By gzip.
  case gzip
  /// By xz, with the check that the kernel can verify.
  case xz
  /// By zstd.
  case zstd

  /// What follows `.ko` in the name of such a file.
  package var suffix: String {
    switch self {
    case .none: ""
    case .gzip: ".gz"
    case .xz: ".xz"
    case .zstd: ".zst"
    }
  }

  /// The name of the module in a file of this name; nil for a file that is not a module.
  static func moduleName(ofFile name: String) -> String? { module(ofFile: name)?.name }

  /// The name of the module in a file of this name, and how it is compressed; nil for a file that is not a module.
  static func module(ofFile name: String) -> (name: String, compression: Compression)? {
    for compression in allCases where name.hasSuffix(".ko\(compression.suffix)") {
      return (String(name.dropLast(3 + compression.suffix.count)), compression)
    }
    return nil
  }
}
