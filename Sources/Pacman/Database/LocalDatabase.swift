// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// A read-only view of the packages that pacman has installed below one root.
///
/// The installed packages are listed once, when the database is opened; what each records is read when it is
/// asked for. Nothing is ever created or locked, so a database may be read while pacman's own lock is held, as
/// in a hook.
///
/// Both sources give the same answers. Text that is not UTF-8 comes out with U+FFFD in place of the bad bytes
/// and then names nothing on disk, though patterns still see the bytes. A damaged entry spoils no other:
/// without a readable `desc` nobody knows when a package was built, without a whole `files` it owns in searches
/// only what is left of it, ``damagedFileLists()`` names it, and asking for that very list is an error.
public struct LocalDatabase: ~Copyable {
  /// Who reads the database.
  public enum Source: Hashable, Sendable {
    /// libalpm if it can be loaded and opens the database, the database's files if not.
    ///
    /// libalpm is opened when it is first asked, and keeps every list that it is asked about, so it is not asked about all
    /// packages: our own reader finds those that come into question, and libalpm confirms them.
    case automatic
    /// libalpm, loaded at run time (about 12 ms) by a soname known to fit.
    case library
    /// Our own reader of the database's files.
    case files
  }

  private let layout: DatabaseLayout
  private let session: ReaderSession

  private var reader: any DatabaseReader { session.reader }
  /// What points to the packages that the reader is to be asked about; nil where it is asked about all.
  private var index: FileReader? { session.index }
  /// Why the files are used although `automatic` prefers libalpm, which is opened for the answer.
  public var libraryFailure: AlpmError? { session.libraryFailure }

  /// Opens the database below a root.
  ///
  /// - Parameters:
  ///   - root: The installation root.
  ///   - databasePath: The directory that has `local` in it, as a path from here and not from the root; by
  ///     default what ``databasePath(root:)`` says.
  ///   - source: Who is to read it.
  /// - Throws: `AlpmError` if there is no database, it is of an unknown format, or the forced source fails.
  public init(
    root: FilePath = "/", databasePath: FilePath? = nil, source: Source = .automatic
  ) throws(AlpmError) {
    try self.init(
      root: root, databasePath: databasePath, source: source, sonames: AlpmLibrary.verifiedSonames)
  }

  init(
    root: FilePath, databasePath: FilePath?, source: Source, sonames: [String]
  ) throws(AlpmError) {
    let configuration = databasePath == nil ? PacmanConfiguration(root: root) : nil
    if let problem = configuration?.problem {
      throw AlpmError(.open, root.string, .unreadable(problem))
    }
    let layout = try DatabaseLayout(
      databasePath: databasePath ?? configuration?.databasePath ?? Self.databasePath(root: root))
    let open = { () throws(AlpmError) -> LibraryHandle in
      try LibraryHandle(sonames: sonames, root: root, databasePath: layout.databasePath)
    }
    let session =
      switch source {
      case .files: ReaderSession(try FileReader(layout))
      case .library: ReaderSession(try open(), layout)
      case .automatic:
        // libalpm may know a format that our own reader does not.
        if let files = try? FileReader(layout) {
          ReaderSession(layout, files, opening: open)
        } else {
          ReaderSession(try open(), layout)
        }
      }
    self.layout = layout
    self.session = session
  }

  /// Asks a reader about the packages that an index points to, or about all of them.
  init(_ layout: DatabaseLayout, asking reader: any DatabaseReader, index: FileReader?) {
    self.layout = layout
    session = ReaderSession(reader, index: index)
  }

  /// Where the database of a root is: `DBPath` of its `etc/pacman.conf`, or `var/lib/pacman`, below the root.
  ///
  /// Files that the configuration includes are not read.
  public static func databasePath(root: FilePath) -> FilePath {
    PacmanConfiguration(root: root).databasePath
  }

  /// All installed packages, in the byte order of their names.
  ///
  /// Reads every package's `desc`, for the date of its build.
  public func packages() -> [InstalledPackage] {
    reader.packages()
  }

  /// The installed package of that name; reads no other package's `desc`.
  public func package(named name: String) -> InstalledPackage? {
    // libalpm need not be opened for a package that is not there.
    if let names = session.names, !names.has(name) { return nil }
    return reader.package(named: name)
  }

  /// The names of all installed packages, in byte order.
  public func packageNames() -> [String] { reader.packageNames() }

  /// The paths a package owns, as stored: no leading slash, `/` after a directory, in byte order.
  ///
  /// - Throws: `AlpmError` if the package is not installed or its list cannot be read.
  public func files(of packageName: String) throws(AlpmError) -> [String] {
    guard let files = reader.files(of: packageName) else {
      throw AlpmError(.readFileList, packageName, .notInstalled)
    }
    // An unreadable list comes out empty, from libalpm too, and one that is cut short comes out short.
    if let package = reader.package(named: packageName) { try layout.checkFileList(of: package) }
    return files
  }

  /// The packages whose file lists cannot be read or are not whole, so that files may be owned although no package
  /// seems to own them.
  public func damagedFileLists() -> [DamagedFileList] {
    (index ?? reader).packages().compactMap { package in
      do throws(AlpmError) {
        try layout.checkFileList(of: package)
        return nil
      } catch {
        let file = layout.path(of: "files", name: package.name, version: package.version)
        return DamagedFileList(package: package, file: FilePath(file), reason: error.reason)
      }
    }
  }

  /// The packages that own exactly this path.
  ///
  /// - Parameters:
  ///   - path: The path, with or without a leading slash. A slash at the end makes it match directories only.
  ///   - hints: Packages to ask first. If any of them owns the path, the hinted owners are the answer and no
  ///     other list is read; else all lists are.
  /// - Returns: The owners' names in byte order.
  public func owners(of path: String, consultingFirst hints: [String] = []) -> [String] {
    guard let path = PathName(path) else { return [] }
    let hinted = reader.owners(of: path, among: hints)
    return hinted.isEmpty ? reader.owners(of: path, among: index?.owners(of: path, among: nil)) : hinted
  }

  /// The owned paths that match a pattern.
  ///
  /// - Parameters:
  ///   - pattern: A pattern as in pacman's hooks: fnmatch(3) without flags, so `*` matches `/` too, and no
  ///     leading slash.
  ///   - packages: The packages whose lists are read; by default all. Names that are not installed match
  ///     nothing.
  /// - Returns: The matches in the byte order of packages, then of paths.
  public func entries(matching pattern: String, in packages: [String]? = nil) -> [OwnedPath] {
    let pattern = PathPattern(pattern)
    let candidates = packages ?? index?.entries(matching: pattern, among: nil).map(\.package)
    return reader.entries(matching: pattern, among: candidates)
  }
}
