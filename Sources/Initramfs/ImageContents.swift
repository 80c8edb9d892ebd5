// SPDX-License-Identifier: GPL-2.0-or-later

/// What was found in an image.
public struct ImageContents: Hashable, Sendable {
  /// The bytes of the file.
  public var size: Int64
  /// The kernel modules in it, of whatever kernel, sorted by path.
  public var modules: [ImageModule]

  /// Describes what was found.
  public init(size: Int64, modules: [ImageModule] = []) {
    self.size = size
    self.modules = modules
  }
}
