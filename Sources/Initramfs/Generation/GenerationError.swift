// SPDX-License-Identifier: GPL-2.0-or-later

/// Why an image could not be made, or a generator's configuration not be read.
public struct GenerationError: Error, Codable, Hashable, Sendable, CustomStringConvertible {
  /// The image, or the file of the configuration.
  public let subject: String
  /// What went wrong.
  public let reason: String
  /// What is to be done.
  public let remedy: String?

  /// Describes a failure.
  public init(_ subject: String, _ reason: String, remedy: String? = nil) {
    self.subject = subject
    self.reason = reason
    self.remedy = remedy
  }

  /// What went wrong with what.
  public var description: String { "\(subject): \(reason)" }
}
