// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// The name of a file that holds a kernel module, compressed or not.
struct ModuleFileName {
  /// The module, with `_` for `-` as the kernel writes it.
  let module: String
  private static let suffixes = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"]

  /// Recognizes one; nil for every other file.
  init?(_ file: some StringProtocol) {
    guard let suffix = Self.suffixes.first(where: file.hasSuffix), file.count > suffix.count else {
      return nil
    }
    module = file.dropLast(suffix.count).asKernelModuleName
  }

  /// The path of a module file as it would be without compression.
  static func withoutCompression(_ path: String) -> String {
    guard let suffix = suffixes.first(where: path.hasSuffix) else { return path }
    return path.dropLast(suffix.count) + ".ko"
  }
}
