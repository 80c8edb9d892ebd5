// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
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

  /// Whether a package of that name is installed.
  func has(_ name: String) -> Bool { versions[name] != nil }

  func package(named name: String) -> InstalledPackage? {
    guard let version = versions[name] else { return nil }
    let description = read("desc", of: name)
    let date = { (section: String) in description?.firstLine(of: section).flatMap { Int($0) } ?? 0 }
    return InstalledPackage(
      name: name, version: version, buildDate: date("%BUILDDATE%"), installDate: date("%INSTALLDATE%"))
  }

  func packageNames() -> [String] { names }

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

/// A text file, whole in memory; the database's own have sections of a `%NAME%` line, lines and an empty line.
///
/// It is searched as bytes: a `String` is made only of a line that is wanted, with U+FFFD for what is not
/// UTF-8.
struct DatabaseFile {
  private let bytes: [UInt8]

  /// The most that a file of the database may hold, in bytes: the largest packages have lists of a tenth of
  /// that.
  static let sizeLimit = 64 << 20

  /// Reads the file at once: pacman replaces these files, it does not write into them.
  ///
  /// - Throws: `HostError`, also for what is no regular file, and for one that is larger than the limit.
  init(path: String) throws(HostError) {
    bytes = try Files.read(FilePath(path), limit: Self.sizeLimit)
  }

  /// Whether there is nothing in it.
  var isEmpty: Bool { bytes.isEmpty }

  /// Whether it has only text in it.
  var isText: Bool {
    bytes.withUnsafeBytes { bytes in bytes.baseAddress.map { memchr($0, 0, bytes.count) == nil } ?? true }
  }

  /// Whether it begins with a section and ends, as pacman ends each, with an empty line.
  var endsSection: Bool {
    bytes.first == UInt8(ascii: "%") && bytes.suffix(2).elementsEqual([.newline, .newline])
  }

  /// The whole file as text.
  var text: String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// The first line of a section; nil if the section is absent or empty.
  func firstLine(of section: String) -> String? {
    withLines(of: section) { lines in
      var lines = lines
      return lines.next().map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The lines of a section, in the file's order, all or those that match a pattern.
  func lines(of section: String, matching pattern: PathPattern? = nil) -> [String] {
    withLines(of: section) { lines in
      lines.compactMap { line in
        pattern.map { $0.matches(line) } ?? true ? String(decoding: line, as: UTF8.self) : nil
      }
    }
  }

  /// Whether a section lists this path, as a file or as a directory.
  func lists(_ path: PathName, in section: String) -> Bool {
    withLines(of: section) { lines in
      lines.contains(where: path.matches)
    }
  }

  private func withLines<Result>(of section: String, _ body: (SectionLines) -> Result) -> Result {
    bytes.withUnsafeBytes { body(SectionLines(of: section, in: $0)) }
  }
}

/// The lines of one section of a database file, as bytes without their newlines.
///
/// The bytes belong to the file and must not be used after it.
struct SectionLines: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  /// Finds the section; there are no lines if the file has none of that name.
  init(of section: String, in file: UnsafeRawBufferPointer) {
    rest = file
    let header = Array(section.utf8)
    var previous = 0
    while let line = nextLine() {
      // A header comes first or after an empty line; elsewhere it is a path of that name.
      if previous == 0 && line.elementsEqual(header) { return }
      previous = line.count
    }
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard let line = nextLine(), !line.isEmpty else {
      rest = .init(rebasing: rest[..<0])
      return nil
    }
    return line
  }

  private mutating func nextLine() -> UnsafeRawBufferPointer? {
    guard let start = rest.baseAddress, !rest.isEmpty else { return nil }
    let end = memchr(start, Int32(UInt8.newline), rest.count).map { UnsafeRawPointer($0) - start }
    let line = rest[..<(end ?? rest.count)]
    rest = .init(rebasing: rest[line.endIndex...].dropFirst())
    return .init(rebasing: line)
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let slash = UInt8(ascii: "/")
}
