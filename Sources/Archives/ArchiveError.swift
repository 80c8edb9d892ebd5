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

extension ArchiveError.Reason {
  /// Whether it says nothing about the archive: libarchive is missing, memory ran out, or the system failed.
  package var isFailedLook: Bool {
    switch self {
    case .noLibrary, .system: true
    case .library(let code, _): code.rawValue == Errno.noMemory.rawValue
    case .damaged, .refused: false
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

/// Why an entry of an archive must not be taken out.
public enum Refusal: Error, Hashable, Sendable {
  /// Its path begins at the root.
  case absolutePath
  /// Its path goes up.
  case parentDirectory
  /// Its path has a control character.
  case controlCharacter
  /// Its path, or what it links to, is longer than any file's should be.
  case tooLong
  /// It lies below something that the archive says is no directory.
  case belowNoDirectory(FilePath)
  /// The archive has it as another kind of thing already.
  case twoKinds
  /// It is a device, a pipe or a socket.
  case special
  /// It links out of the directory in which it must stay.
  case leadsOut(target: FilePath)
  /// It links to itself, perhaps by way of others.
  case circular(target: FilePath)
  /// It is another name of a file that the archive does not have before it.
  case noSuchFile(target: FilePath)
  /// It is one entry more than an archive may have.
  case tooManyEntries(limit: Int)
  /// It brings the contents above the bytes that an archive may have.
  case tooManyBytes(limit: Int64)
}

extension Refusal: CustomStringConvertible {
  /// The words that come after the entry.
  public var description: String {
    switch self {
    case .absolutePath: "has an absolute path"
    case .parentDirectory: "has '..' in its path"
    case .controlCharacter: "has a control character in its name"
    case .tooLong: "has too long a name, or links to one"
    case .belowNoDirectory(let path): "lies below '\(path.visible)', which is not a directory there"
    case .twoKinds: "is there twice, as different things"
    case .special: "is a device, a pipe or a socket"
    case .leadsOut(let target): "links to '\(target.visible)', which leads out"
    case .circular(let target): "links to '\(target.visible)', which leads in circles"
    case .noSuchFile(let target): "is to be the same as '\(target.visible)', which is not there before it"
    case .tooManyEntries(let limit): "is one entry too many: no more than \(limit) are unpacked"
    case .tooManyBytes(let limit): "is too much: no more than \(limit >> 20) MiB are unpacked"
    }
  }
}
