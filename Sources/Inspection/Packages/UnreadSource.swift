// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// A directory that may hold the source of a module, of which nothing more is known.
package struct UnreadSource: Codable, Hashable, Sendable {
  /// The directory.
  package var directory: String
  /// The package that owns it, where that is known.
  package var package: String?
  /// Why its dkms.conf says nothing; nil where it is missing though a package owns it.
  package var error: DKMSError?
  /// The command that installs the package again; nil where it is not known.
  package var reinstallation: String?

  /// Describes one.
  package init(directory: String, package: String? = nil, error: DKMSError? = nil) {
    self.directory = directory
    self.package = package
    self.error = error
  }

  /// What the module in it may be called, by the name of the directory: all that comes before one of the dashes.
  package var likelyNames: [String] {
    let name = directory.split(separator: "/").last ?? ""
    let names = name.indices.filter { name[$0] == "-" }.map { String(name[..<$0]) }
    return names.isEmpty ? [String(name)] : names
  }

  /// What is wrong with it, for people.
  package var reason: String {
    error.map { "\($0)" } ?? "its dkms.conf is missing, though \(package ?? "a package") owns it"
  }

  /// What is to be done.
  package var remedy: String? {
    guard let error else {
      return reinstallation ?? package.map { "install \($0) again, from where it came" }
    }
    return error.remedy(reinstalling: reinstallation)
  }
}

extension DKMSError {
  /// Whether it is about a source that is missing, or whose dkms.conf cannot be used.
  package var isOfSource: Bool {
    switch self {
    case .moduleBroken, .configurationMissing, .configurationUnreadable, .configurationMalformed,
      .configurationInvalid:
      true
    default: false
    }
  }

  /// What ends it, where a package has brought the source, and a command installs that again.
  package func remedy(reinstalling command: String?) -> String? {
    guard let command, isOfSource else { return remedy }
    if case .moduleBroken = self { return "put its source back: \(command)" }
    return "fix the file, or put back what its package has brought: \(command)"
  }
}
