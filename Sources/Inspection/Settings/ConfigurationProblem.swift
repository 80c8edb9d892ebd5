// SPDX-License-Identifier: GPL-2.0-or-later

/// What is wrong with a file of settings, or worth a remark.
public struct ConfigurationProblem: Codable, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The line, counted from 1; nil where it is the file itself.
  public let line: Int?
  /// Whether something in the file has no effect because of it.
  public let isError: Bool
  /// What is wrong, and what is allowed.
  public let text: String

  /// Describes a problem.
  public init(file: String, line: Int?, isError: Bool, text: String) {
    self.file = file
    self.line = line
    self.isError = isError
    self.text = text
  }

  /// `/etc/alpm-dkms.conf, line 3: …`.
  public var description: String { "\(file)\(line.map { ", line \($0)" } ?? ""): \(text)" }
}
