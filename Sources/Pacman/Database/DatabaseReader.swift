// SPDX-License-Identifier: GPL-2.0-or-later

/// What both sources of a local database can answer.
///
/// Package names come out in byte order, without repetition; names that are not installed are passed over, and
/// so are packages whose file list cannot be read.
protocol DatabaseReader {
  func packages() -> [InstalledPackage]
  func package(named name: String) -> InstalledPackage?

  /// The file list in byte order; nil for a package that is not installed, empty for an unreadable list.
  func files(of name: String) -> [String]?

  /// Owners of the path among some packages, or among all.
  func owners(of path: PathName, among names: [String]?) -> [String]

  /// Paths matching the pattern in the lists of some packages, or of all.
  func entries(matching pattern: PathPattern, among names: [String]?) -> [OwnedPath]
}
