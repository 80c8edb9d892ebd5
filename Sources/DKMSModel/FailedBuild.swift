// SPDX-License-Identifier: GPL-2.0-or-later

/// A build that failed and has not been fixed.
public struct FailedBuild: Codable, Hashable, Sendable {
  /// Its log, where it came to write one.
  public var log: String?
  /// The first error in the log, where one was found.
  public var firstError: String?
  /// What was said of it when it failed, where that was noted.
  public var reason: String?

  /// Describes a failure.
  public init(log: String?, firstError: String?, reason: String? = nil) {
    self.log = log
    self.firstError = firstError
    self.reason = reason
  }
}
