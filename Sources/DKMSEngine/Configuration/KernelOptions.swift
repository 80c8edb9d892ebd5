// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The options of a kernel configuration file, read when the first is asked for.
struct KernelOptions: Sendable {
  let file: FilePath

  /// Whether the option is built in or a module; nil where there is no configuration to ask.
  func contains(_ option: String) -> Bool? {
    guard let value = writtenValue(of: option) else { return Files.kind(file) == nil ? nil : false }
    return value.hasPrefix("y") || value.hasPrefix("m")
  }

  /// The value of an option, without quotes around it.
  func value(of option: String) -> String? {
    guard let value = writtenValue(of: option) else { return nil }
    return value.hasPrefix("\"") && value.hasSuffix("\"") && value.count > 1
      ? String(value.dropFirst().dropLast()) : value
  }

  private func writtenValue(of option: String) -> String? {
    guard let bytes = try? Files.read(file) else { return nil }
    let start = Array("\(option)=".utf8)
    guard let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: start) })
    else {
      return nil
    }
    return String(decoding: line.dropFirst(start.count), as: UTF8.self)
  }
}
