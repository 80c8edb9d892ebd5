// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host

/// The options of a kernel configuration.
package struct KernelOptions: Sendable {
  private let bytes: [UInt8]?

  /// Takes what is in a configuration file; nil where there is none.
  package init(_ bytes: [UInt8]?) { self.bytes = bytes }

  /// A digest of the whole; nil where there is no configuration.
  package var digest: String? { bytes.map { Files.digest(of: $0) } }

  /// Whether the option is built in or a module; nil where there is no configuration to ask.
  package func contains(_ option: String) -> Bool? {
    guard bytes != nil else { return nil }
    let value = writtenValues(of: [option])[option] ?? ""
    return value.hasPrefix("y") || value.hasPrefix("m")
  }

  /// The values of several options, without quotes around them, in one go.
  package func values(of options: Set<String>) -> [String: String] {
    writtenValues(of: options).mapValues(Self.unquoted)
  }

  private static func unquoted(_ value: String) -> String {
    let isQuoted = value.hasPrefix("\"") && value.hasSuffix("\"") && value.count > 1
    return isQuoted ? String(value.dropFirst().dropLast()) : value
  }

  private func writtenValues(of options: Set<String>) -> [String: String] {
    let starts = options.map { (option: $0, bytes: Array("\($0)=".utf8)) }
    var values: [String: String] = [:]
    for line in (bytes ?? []).split(separator: UInt8(ascii: "\n")) {
      for (option, start) in starts where values[option] == nil && line.starts(with: start) {
        values[option] = String(decoding: line.dropFirst(start.count), as: UTF8.self)
      }
    }
    return values
  }
}

/// A value of framework.conf in which `$kernelver` stands for the release of the kernel at hand.
public struct KernelText: Codable, Hashable, Sendable {
  private let text: String

  /// The placeholder for `$kernelver` while bash reads framework.conf, since no kernel is known yet.
  package static let placeholder = "${kernelver}"

  /// Takes a value as the evaluation of framework.conf left it.
  public init(_ text: String) { self.text = text }

  /// The value for a kernel.
  package func value(for release: String) -> String { text.replacing(Self.placeholder, with: release) }
}
