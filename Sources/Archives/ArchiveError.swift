// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
public import SystemPackage

/// What could not be done with an archive, and why.
public struct ArchiveError: Error, Hashable, Sendable {
  /// What was being done.
  public var operation: Operation
  /// The archive.
  public var archive: FilePath
  /// Why it failed.
  public var reason: Reason

  /// Describes a failure.
  public init(_ operation: Operation, _ archive: FilePath, _ reason: Reason) {
    self.operation = operation
    self.archive = archive
    self.reason = reason
  }

  /// Describes the failure of an operation on a file.
  package init(_ operation: Operation, _ archive: FilePath, _ error: HostError) {
    let reason: Reason =
      error.errno.map { .system($0, error.path) } ?? .damaged("\(error.path): \(error.reason)")
    self.init(operation, archive, reason)
  }

  /// What was being done; the raw value is the verb.
  public enum Operation: String, Hashable, Sendable {
    /// Reading it.
    case read
    /// Taking its contents out.
    case unpack
    /// Making it.
    case write
  }

  /// Why it failed.
  public enum Reason: Hashable, Sendable {
    /// No verified libarchive can be loaded; the text is the loader's own.
    case noLibrary(String)
    /// libarchive failed; the message is its own.
    case library(Code, message: String)
    /// It is not as it should be, in these words.
    case damaged(String)
    /// The system failed on a file outside the archive, or on the archive itself.
    case system(Errno, FilePath)
    /// An entry must not be taken out.
    case refused(entry: FilePath, Refusal)
  }

  /// A number from libarchive; some are the system's.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number as libarchive gave it.
    public var rawValue: Int32

    /// Takes any number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
  }
}

extension ArchiveError: CustomStringConvertible {
  /// One line for people, without a period.
  public var description: String { "cannot \(operation.rawValue) \(archive): \(reason)" }
}

extension ArchiveError.Reason: CustomStringConvertible {
  /// The words that come after the archive.
  public var description: String {
    switch self {
    case .noLibrary(let detail): "libarchive cannot be loaded: \(detail)"
    case .library(_, let message): message
    case .damaged(let words): words
    case .system(let error, let path): "\(path): \(error)"
    case .refused(let entry, let refusal): "'\(entry.visible)' in it \(refusal)"
    }
  }
}

extension FilePath {
  /// The path with its control characters written out, so that a terminal does not obey them.
  var visible: String {
    string.unicodeScalars.map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}

extension Unicode.Scalar {
  var isControl: Bool { properties.generalCategory == .control }
}
