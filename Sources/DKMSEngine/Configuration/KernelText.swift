// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// A value of framework.conf in which `$kernelver` stands for the release of the kernel at hand.
public struct KernelText: Codable, Hashable, Sendable {
  private let text: String

  /// The placeholder for `$kernelver` while bash reads framework.conf, since no kernel is known yet.
  static let placeholder = "${kernelver}"

  /// Takes a value as the evaluation of framework.conf left it.
  public init(_ text: String) { self.text = text }

  /// The value for a kernel.
  func value(for release: String) -> String { text.replacing(Self.placeholder, with: release) }
}
