// SPDX-License-Identifier: GPL-2.0-or-later

public import Host
public import SystemPackage

/// What could not be read, and why.
public struct AlpmError: Error, Hashable, Sendable {
  /// What was being done.
  public enum Operation: Hashable, Sendable {
    /// Finding and opening the local database.
    case open
    /// Reading one package's file list.
    case readFileList
  }

  /// A number from `alpm_errno_t`; what it stands for differs between versions of libalpm.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number as libalpm gave it.
    public var rawValue: UInt32

    /// Takes any number.
    public init(rawValue: UInt32) {
      self.rawValue = rawValue
    }
  }

  /// Why it failed.
  public enum Reason: Hashable, Sendable {
    /// The directory holds no local database (no `local`, or one without `ALPM_DB_VERSION`).
    case noDatabase
    /// The database is in a format that is not read here.
    case unknownFormat(String)
    /// The database does not list such a package.
    case notInstalled
    /// No verified libalpm can be loaded; the text is the loader's own.
    case noLibrary(String)
    /// libalpm failed; the message is `alpm_strerror`'s.
    case library(Code, message: String)
    /// The system failed.
    case system(Errno)
    /// The file was read, and is not as pacman leaves one.
    case damaged(Damage)
    /// A file of the database, or pacman.conf, is no file that can be taken in.
    case file(FilePath, HostError.Reason)

    /// Why a file cannot be read.
    static func unreadable(_ error: HostError) -> Self {
      error.errno.map { .system($0) } ?? .file(error.path, error.reason)
    }
  }

  /// What shows that a file list is not whole, as after a loss of power.
  public enum Damage: Hashable, Sendable {
    /// It is empty though the package has files.
    case empty
    /// It does not end as a list does.
    case cutShort
    /// It holds something else than text.
    case noText
  }

  /// What was being done.
  public var operation: Operation

  /// The path or the package it was done to.
  public var subject: String

  /// Why it failed.
  public var reason: Reason

  /// Makes the value.
  public init(_ operation: Operation, _ subject: String, _ reason: Reason) {
    self.operation = operation
    self.subject = subject
    self.reason = reason
  }
}

extension AlpmError: CustomStringConvertible {
  /// One line for people, without a period.
  public var description: String {
    "\(operation) \(subject): \(reason)"
  }
}

extension AlpmError.Operation: CustomStringConvertible {
  /// The words that come before the subject.
  public var description: String {
    switch self {
    case .open: "cannot open the package database"
    case .readFileList: "cannot read the file list of"
    }
  }
}

extension AlpmError.Reason: CustomStringConvertible {
  /// The words that come after the subject.
  public var description: String {
    switch self {
    case .noDatabase: "no local package database there"
    case .unknownFormat(let version): "unknown database format '\(version)'"
    case .notInstalled: "package not installed"
    case .noLibrary(let detail): "libalpm cannot be loaded: \(detail)"
    case .library(_, let message): message
    case .system(let error): error.description
    case .damaged(.empty): "it is empty though the package has files"
    case .damaged(.cutShort): "it is cut short"
    case .damaged(.noText): "it is no text"
    case .file(let path, let reason): "\(path): \(reason)"
    }
  }
}
