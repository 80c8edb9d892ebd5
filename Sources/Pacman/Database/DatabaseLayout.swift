// SPDX-License-Identifier: GPL-2.0-or-later

internal import SystemPackage

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
    do throws(Errno) {
      let file = try DatabaseFile(path: databasePath.appending("local/ALPM_DB_VERSION").string)
      formatVersion = String(file.text.prefix { $0.isNumber })
    } catch {
      let isMissing = error == .noSuchFileOrDirectory || error == .notDirectory
      throw AlpmError(.open, databasePath.string, isMissing ? .noDatabase : .system(error))
    }
  }

  /// The path of a file of one package's entry.
  func path(of file: String, name: String, version: String) -> String {
    "\(databasePath)/local/\(name)-\(version)/\(file)"
  }

  /// Fails if the package's file list cannot be read.
  func checkFileList(of package: InstalledPackage) throws(AlpmError) {
    do throws(Errno) {
      _ = try DatabaseFile(
        path: path(of: "files", name: package.name, version: package.version))
    } catch {
      throw AlpmError(.readFileList, package.name, .system(error))
    }
  }
}
