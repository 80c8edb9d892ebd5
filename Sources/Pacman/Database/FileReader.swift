// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

/// The local database read from its own files: `NAME-VERSION-RELEASE/{desc,files}` below `local`.
///
/// As with libalpm, name and version are those of the directory's name; of two entries for one package the
/// first that readdir(3) returns counts. File lists are read anew for each question and never kept.
struct FileReader: DatabaseReader {
  /// The format of pacman 4.2 and everything after it.
  static let formatVersion = "9"

  private let layout: DatabaseLayout
  /// The installed packages in byte order.
  private let names: [String]
  private let versions: [String: String]

  /// Lists the entries; reads none of them.
  init(_ layout: DatabaseLayout) throws(AlpmError) {
    self.layout = layout
    let directory = layout.entriesPath.string
    guard layout.formatVersion == Self.formatVersion else {
      throw AlpmError(.open, layout.databasePath.string, .unknownFormat(layout.formatVersion))
    }
    let entries: [DirectoryEntry]
    do throws(Errno) {
      entries = try DirectoryEntry.all(in: directory)
    } catch {
      throw AlpmError(.open, directory, .system(error))
    }
    var versions: [String: String] = [:]
    for entry in entries where entry.isDirectory {
      guard let (name, version) = Self.split(entry.name), versions[name] == nil else { continue }
      versions[name] = version
    }
    self.versions = versions
    names = versions.keys.sorted(by: String.inByteOrder)
  }

  func packages() -> [InstalledPackage] {
    names.compactMap(package)
  }

  func package(named name: String) -> InstalledPackage? {
    guard let version = versions[name] else { return nil }
    let description = read("desc", of: name)
    return InstalledPackage(
      name: name, version: version,
      buildDate: description?.firstLine(of: "%BUILDDATE%").flatMap { Int($0) } ?? 0)
  }

  func files(of name: String) -> [String]? {
    guard versions[name] != nil else { return nil }
    return read("files", of: name)?.lines(of: "%FILES%").sorted(by: String.inByteOrder) ?? []
  }

  func owners(of path: PathName, among names: [String]?) -> [String] {
    self.names(among: names).filter { name in
      read("files", of: name)?.lists(path, in: "%FILES%") ?? false
    }
  }

  func entries(matching pattern: PathPattern, among names: [String]?) -> [OwnedPath] {
    self.names(among: names).flatMap { name in
      (read("files", of: name)?.lines(of: "%FILES%", matching: pattern) ?? [])
        .sorted(by: String.inByteOrder)
        .map { OwnedPath(package: name, path: $0) }
    }
  }
}

extension FileReader {
  private func names(among some: [String]?) -> [String] {
    guard let some else { return names }
    return Set(some).filter { versions[$0] != nil }.sorted(by: String.inByteOrder)
  }

  /// One file of a package's entry; nil if it is unreadable, so that one bad entry spoils no other.
  private func read(_ file: String, of name: String) -> DatabaseFile? {
    versions[name].flatMap { version in
      try? DatabaseFile(path: layout.path(of: file, name: name, version: version))
    }
  }

  /// Splits an entry's name at the last dash but one; nil if there is none with a name before it.
  static func split(_ entry: String) -> (name: String, version: String)? {
    guard let release = entry.lastIndex(of: "-"),
      let version = entry[..<release].lastIndex(of: "-"), version > entry.startIndex
    else { return nil }
    return (String(entry[..<version]), String(entry[version...].dropFirst()))
  }
}
