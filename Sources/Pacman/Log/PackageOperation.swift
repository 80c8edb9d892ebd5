// SPDX-License-Identifier: GPL-2.0-or-later

/// What a transaction did to a package, as pacman's log has it.
package struct PackageOperation: Hashable {
  /// The package.
  package let package: String
  /// What was done.
  package let action: Action

  package enum Action: Hashable {
    /// It came.
    case installed(version: String)
    /// It changed to a newer version.
    case upgraded(from: String, to: String)
    /// It changed to an older version.
    case downgraded(from: String, to: String)
    /// It came again, as it was.
    case reinstalled(version: String)
    /// It went.
    case removed(version: String)
  }

  /// The version that is there afterwards; nil where none is.
  package var newVersion: String? {
    switch action {
    case .installed(let version), .reinstalled(let version): version
    case .upgraded(_, let version), .downgraded(_, let version): version
    case .removed: nil
    }
  }

  /// The version that was there before, where it was another.
  package var oldVersion: String? {
    switch action {
    case .upgraded(let version, _), .downgraded(let version, _): version
    case .installed, .reinstalled, .removed: nil
    }
  }

  package init(_ package: String, _ action: Action) {
    self.package = package
    self.action = action
  }

  /// Understands what follows `[ALPM]`: `upgraded foo (1 -> 2)`; nil where it is no such thing.
  package init?(_ text: Substring) {
    let words = text.split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[2].hasPrefix("("), words[2].hasSuffix(")") else { return nil }
    package = String(words[1])
    let versions = words[2].dropFirst().dropLast()
    let version = String(versions)
    switch words[0] {
    case "installed": action = .installed(version: version)
    case "reinstalled": action = .reinstalled(version: version)
    case "removed": action = .removed(version: version)
    case "upgraded", "downgraded":
      let ends = versions.split(separator: " ")
      guard ends.count == 3, ends[1] == "->" else { return nil }
      let (old, new) = (String(ends[0]), String(ends[2]))
      action = words[0] == "upgraded" ? .upgraded(from: old, to: new) : .downgraded(from: old, to: new)
    default: return nil
    }
  }
}
