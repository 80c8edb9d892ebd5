// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import SystemPackage

/// A system call on a file, or the start of a program, that failed.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb: `read`, `rename`, `start`.
  public let operation: String
  /// The file or program it was tried on.
  public let path: FilePath
  /// The system's reason.
  public let reason: Errno

  /// Describes a failure.
  public init(_ operation: String, _ path: FilePath, _ reason: Errno) {
    self.operation = operation
    self.path = path
    self.reason = reason
  }

  /// `cannot read /path: No such file or directory`.
  public var description: String { "cannot \(operation) \(path): \(reason)" }
}

extension DKMSError {
  /// The failure of a system call, as the engine reports it.
  public init(_ error: HostError) {
    self = .system(operation: error.operation, subject: "\(error.path)", reason: "\(error.reason)")
  }
}
