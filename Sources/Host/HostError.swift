// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import SystemPackage

/// A system call on a file, or the start of a program, that failed.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb: `read`, `rename`, `start`.
  public let operation: String
  /// The file or program it was tried on.
  public let path: FilePath
  /// Why it failed.
  public let reason: Reason

  /// Why an operation failed.
  public enum Reason: Hashable, Sendable, CustomStringConvertible {
    /// The system says so.
    case system(Errno)
    /// A file is expected, and this is none.
    case notAFile(Files.Kind)
    /// It holds more bytes than any such file does.
    case tooLarge(limit: Int)
    /// The program of this name, which was asked, was killed or could not be started.
    case unanswered(program: String)

    /// The reason, as it follows a colon.
    public var description: String {
      switch self {
      case .system(let errno): "\(errno)"
      case .notAFile(.directory): "it is a directory, not a file"
      case .notAFile: "it is a pipe, a socket or a device, not a file"
      case .unanswered(let program): "\(program) gave no answer"
      case .tooLarge(let limit): "it is too large: more than \(limit >> 10) KiB"
      }
    }
  }

  /// Describes a failure that the system reported.
  public init(_ operation: String, _ path: FilePath, _ reason: Errno) {
    self.init(operation, path, .system(reason))
  }

  /// Describes a failure.
  public init(_ operation: String, _ path: FilePath, _ reason: Reason) {
    self.operation = operation
    self.path = path
    self.reason = reason
  }

  /// What the system said, if it was the system.
  public var errno: Errno? { if case .system(let errno) = reason { errno } else { nil } }

  /// `cannot read /path: No such file or directory`.
  public var description: String { "cannot \(operation) \(path): \(reason)" }
}

extension DKMSError {
  /// The failure of a system call, as the engine reports it.
  public init(_ error: HostError) {
    self = .system(operation: error.operation, subject: "\(error.path)", reason: "\(error.reason)")
  }
}

/// Runs operations on files, with their errors as the engine's.
///
/// - Throws: `DKMSError.system` where one of them failed.
package func onFiles<Value>(_ body: () throws(HostError) -> Value) throws(DKMSError) -> Value {
  do { return try body() } catch { throw DKMSError(error) }
}
