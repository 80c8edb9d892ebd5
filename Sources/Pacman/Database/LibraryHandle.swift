// SPDX-License-Identifier: GPL-2.0-or-later

internal import CAlpm
internal import Host
internal import SystemPackage

/// A handle of libalpm with its local database open.
struct LibraryHandle: ~Copyable {
  private let library: AlpmLibrary
  private let handle: OpaquePointer
  private let database: OpaquePointer

  /// Opens a database that exists: libalpm would begin a missing one.
  init(sonames: [String], root: FilePath, databasePath: FilePath) throws(AlpmError) {
    let library: AlpmLibrary
    do throws(DynamicLibrary.LoadFailure) {
      library = try AlpmLibrary(sonames: sonames)
    } catch {
      throw AlpmError(.open, databasePath.string, .noLibrary(error.description))
    }
    var code = alpm_errno_t(rawValue: 0)
    guard let handle = library.initialize(root.string, databasePath.string, &code) else {
      throw AlpmError(.open, databasePath.string, library.reason(code))
    }
    // The packages are listed here, so that no later question can fail for want of the list.
    guard let database = library.getLocalDatabase(handle), library.isValid(database) == 0,
      library.getPackageCache(database) != nil || library.errno(handle).rawValue == 0
    else {
      let reason = library.reason(library.errno(handle))
      _ = library.release(handle)
      throw AlpmError(.open, databasePath.string, reason)
    }
    self.library = library
    self.handle = handle
    self.database = database
  }

  deinit {
    _ = library.release(handle)
  }

  /// What answers questions; not to be used after the handle.
  func reader(_ layout: DatabaseLayout) -> LibraryReader {
    LibraryReader(library: library, database: database, layout: layout)
  }
}
