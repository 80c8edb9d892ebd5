// SPDX-License-Identifier: GPL-2.0-or-later

/// What is wrong with JSON that was read, and where.
public struct JSONProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// `line:column`, both counted from 1, the column in bytes; or the way to a value, `facts.kernels[3]`.
  public let place: String
  /// What is wrong.
  public let text: String

  /// Describes a problem.
  public init(place: String, text: String) {
    self.place = place
    self.text = text
  }

  /// The place and what is wrong.
  public var description: String { place.isEmpty ? text : "\(place): \(text)" }
}
