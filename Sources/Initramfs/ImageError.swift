// SPDX-License-Identifier: GPL-2.0-or-later

/// Why an image could not be read.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The image.
  public let path: String
  /// What is wrong with it.
  public let reason: String

  /// Names an image and what is wrong with it.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// The image and what is wrong with it.
  public var description: String { "\(path) cannot be read as an initramfs image: \(reason)" }
}
