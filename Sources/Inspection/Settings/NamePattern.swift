// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Glibc

/// A name, or a shell pattern for names, as fnmatch(3) reads it.
public struct NamePattern: Codable, Hashable, Sendable, ExpressibleByStringLiteral {
  private let text: String

  /// Takes a pattern as it is.
  public init(_ text: String) { self.text = text }

  /// Takes a pattern as it is.
  public init(stringLiteral text: String) { self.init(text) }

  /// Whether the pattern is this name or stands for it.
  func matches(_ name: String) -> Bool { fnmatch(text, name, 0) == 0 }

  /// The same for a module, in whose name the kernel takes a dash for an underscore.
  func matches(module name: String) -> Bool {
    [name, name.asKernelModuleName, name.replacing("_", with: "-")].contains { matches($0) }
  }
}
