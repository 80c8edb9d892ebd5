// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
package import SystemPackage

/// The options of a kernel configuration file, read when the first is asked for.
package struct KernelOptions: Sendable {
  private let file: FilePath

  /// Takes the file as it is.
  package init(file: FilePath) { self.file = file }

  /// Whether the option is built in or a module; nil where there is no configuration to ask.
  package func contains(_ option: String) -> Bool? {
    guard let value = writtenValues(of: [option])[option] else {
      return Files.kind(file) == nil ? nil : false
    }
    return value.hasPrefix("y") || value.hasPrefix("m")
  }

  /// The values of several options, without quotes around them, in one go.
  func values(of options: Set<String>) -> [String: String] {
    writtenValues(of: options).mapValues(Self.unquoted)
  }

  private static func unquoted(_ value: String) -> String {
    let isQuoted = value.hasPrefix("\"") && value.hasSuffix("\"") && value.count > 1
    return isQuoted ? String(value.dropFirst().dropLast()) : value
  }

  private func writtenValues(of options: Set<String>) -> [String: String] {
    guard let bytes = try? Files.read(file) else { return [:] }
    let starts = options.map { (option: $0, bytes: Array("\($0)=".utf8)) }
    var values: [String: String] = [:]
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      for (option, start) in starts where values[option] == nil && line.starts(with: start) {
        values[option] = String(decoding: line.dropFirst(start.count), as: UTF8.self)
      }
    }
    return values
  }
}
