// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
internal import SystemPackage

/// One package that the local database lists as installed.
public struct InstalledPackage: Hashable, Sendable {
  /// The package's name.
  public var name: String

  /// The installed version.
  public var version: String

  /// When it was built, in seconds since 1970; 0 where that is not recorded.
  public var buildDate: Int

  /// When it was installed, in seconds since 1970; 0 where that is not recorded.
  public var installDate: Int

  /// Makes the value.
  public init(name: String, version: String, buildDate: Int = 0, installDate: Int = 0) {
    self.name = name
    self.version = version
    self.buildDate = buildDate
    self.installDate = installDate
  }
}

/// What both sources of a local database can answer.
///
/// Package names come out in byte order, without repetition; names that are not installed are passed over, and
/// so are packages whose file list cannot be read.
protocol DatabaseReader {
  func packages() -> [InstalledPackage]
  func package(named name: String) -> InstalledPackage?

  /// The names of all packages; reads nothing of any of them.
  func packageNames() -> [String]

  /// The file list in byte order; nil for a package that is not installed, empty for an unreadable list.
  func files(of name: String) -> [String]?

  /// Owners of the path among some packages, or among all.
  func owners(of path: PathName, among names: [String]?) -> [String]

  /// Paths matching the pattern in the lists of some packages, or of all.
  func entries(matching pattern: PathPattern, among names: [String]?) -> [OwnedPath]
}

/// Where things are in the directory of a local database.
struct DatabaseLayout {
  /// The directory that has `local` in it.
  let databasePath: FilePath
  /// The text of `ALPM_DB_VERSION`, which every database of pacman 3.6 and later has.
  let formatVersion: String

  var entriesPath: FilePath { databasePath.appending("local") }

  /// Checks that a database is there: given an empty directory, libalpm would begin one.
  init(databasePath: FilePath) throws(AlpmError) {
    self.databasePath = databasePath
    do throws(HostError) {
      let file = try DatabaseFile(path: databasePath.appending("local/ALPM_DB_VERSION").string)
      formatVersion = String(file.text.prefix { $0.isNumber })
    } catch {
      let isMissing = error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory
      throw AlpmError(.open, databasePath.string, isMissing ? .noDatabase : .unreadable(error))
    }
  }

  /// The path of a file of one package's entry.
  func path(of file: String, name: String, version: String) -> String {
    "\(databasePath)/local/\(name)-\(version)/\(file)"
  }

  /// Fails if the package's file list cannot be read, or is not as pacman leaves one: then the package may own
  /// more than the list has.
  func checkFileList(of package: InstalledPackage) throws(AlpmError) {
    let path = { (file: String) in self.path(of: file, name: package.name, version: package.version) }
    let damage: AlpmError.Damage?
    do throws(HostError) {
      damage = try DatabaseFile(path: path("files")).damage
    } catch {
      throw AlpmError(.readFileList, package.name, .unreadable(error))
    }
    guard let damage else { return }
    if damage == .empty, (try? DatabaseFile(path: path("desc")))?.isOfEmptyPackage == true { return }
    throw AlpmError(.readFileList, package.name, .damaged(damage))
  }
}

extension DatabaseFile {
  /// What shows that it is not as pacman wrote it.
  fileprivate var damage: AlpmError.Damage? {
    if isEmpty { return .empty }
    if !isText { return .noText }
    return endsSection ? nil : .cutShort
  }

  /// Whether, as a description, it speaks of a package that takes no room, whose list is rightly empty.
  fileprivate var isOfEmptyPackage: Bool {
    firstLine(of: "%NAME%") != nil && ["0", nil].contains(firstLine(of: "%SIZE%"))
  }
}

extension String {
  /// The order that libalpm sorts names and paths by.
  static func inByteOrder(_ left: String, _ right: String) -> Bool {
    strcmp(left, right) < 0
  }
}
