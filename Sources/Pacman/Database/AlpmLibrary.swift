// SPDX-License-Identifier: GPL-2.0-or-later

internal import CAlpm
internal import Host
internal import SystemPackage

/// The functions of a loaded libalpm that are used here.
///
/// The library stays loaded until the process ends: what it depends on (curl, gpgme) does not unload safely.
struct AlpmLibrary {
  /// The sonames whose interface was compared with what is used here, newest first.
  static let verifiedSonames = ["libalpm.so.16", "libalpm.so.15", "libalpm.so.14", "libalpm.so.13"]

  let initialize: alpm_dkms_initialize_fn
  let release: alpm_dkms_release_fn
  let errno: alpm_dkms_errno_fn
  let strerror: alpm_dkms_strerror_fn
  let getLocalDatabase: alpm_dkms_get_localdb_fn
  let isValid: alpm_dkms_db_get_valid_fn
  let getPackage: alpm_dkms_db_get_pkg_fn
  let getPackageCache: alpm_dkms_db_get_pkgcache_fn
  let getName: alpm_dkms_pkg_get_name_fn
  let getVersion: alpm_dkms_pkg_get_version_fn
  let getBuildDate: alpm_dkms_pkg_get_builddate_fn
  let getInstallDate: alpm_dkms_pkg_get_installdate_fn
  let getFiles: alpm_dkms_pkg_get_files_fn
  let fileListContains: alpm_dkms_filelist_contains_fn
  let registerSyncDatabase: alpm_dkms_register_syncdb_fn
  let compareVersions: alpm_dkms_pkg_vercmp_fn

  /// Loads the first library of the list that is there and has every function.
  ///
  /// Fails with the loader's last word. Costs about 12 ms.
  init(sonames: [String] = verifiedSonames) throws(DynamicLibrary.LoadFailure) {
    self = try DynamicLibrary.first(of: sonames) { library throws(DynamicLibrary.LoadFailure) in
      try AlpmLibrary(library)
    }
  }

  private init(_ library: DynamicLibrary) throws(DynamicLibrary.LoadFailure) {
    initialize = try library.function("alpm_initialize")
    release = try library.function("alpm_release")
    errno = try library.function("alpm_errno")
    strerror = try library.function("alpm_strerror")
    getLocalDatabase = try library.function("alpm_get_localdb")
    isValid = try library.function("alpm_db_get_valid")
    getPackage = try library.function("alpm_db_get_pkg")
    getPackageCache = try library.function("alpm_db_get_pkgcache")
    getName = try library.function("alpm_pkg_get_name")
    getVersion = try library.function("alpm_pkg_get_version")
    getBuildDate = try library.function("alpm_pkg_get_builddate")
    getInstallDate = try library.function("alpm_pkg_get_installdate")
    getFiles = try library.function("alpm_pkg_get_files")
    fileListContains = try library.function("alpm_filelist_contains")
    registerSyncDatabase = try library.function("alpm_register_syncdb")
    compareVersions = try library.function("alpm_pkg_vercmp")
  }
}

extension AlpmLibrary {
  /// What libalpm says about a code.
  func reason(_ code: alpm_errno_t) -> AlpmError.Reason {
    let message = strerror(code).map { String(cString: $0) }
    return .library(.init(rawValue: code.rawValue), message: message ?? "unknown error")
  }
}

/// A handle of libalpm with its local database open.
final class LibraryHandle {
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

  /// What these repositories have of a package that is installed in a version.
  func offer(
    of package: String, installed version: String, in repositories: [String]
  ) -> PackageOffer {
    var newest: (version: String, repository: String)?
    var areAllKnown = true
    for repository in repositories {
      // No signature is asked for: nothing is installed from what is read here.
      guard let database = library.registerSyncDatabase(handle, repository, 0),
        library.getPackageCache(database) != nil
      else {
        areAllKnown = false
        continue
      }
      guard let found = library.getPackage(database, package), let offered = library.getVersion(found) else {
        continue
      }
      if newest == nil || library.compareVersions(offered, newest?.version ?? "") > 0 {
        newest = (String(cString: offered), repository)
      }
    }
    guard let newest else { return areAllKnown ? .absent : .unknown }
    return library.compareVersions(newest.version, version) > 0
      ? .newer(version: newest.version, repository: newest.repository) : .nothingNewer
  }

  /// What answers questions; not to be used after the handle.
  func reader(_ layout: DatabaseLayout) -> LibraryReader {
    LibraryReader(library: library, database: database, layout: layout)
  }
}

/// The elements of an `alpm_list_t`, so that none leaves the target.
struct AlpmList<Element>: Sequence, IteratorProtocol {
  private var node: UnsafeMutablePointer<alpm_list_t>?
  private let element: (UnsafeMutableRawPointer) -> Element

  init(
    _ head: UnsafeMutablePointer<alpm_list_t>?,
    _ element: @escaping (UnsafeMutableRawPointer) -> Element
  ) {
    self.node = head
    self.element = element
  }

  mutating func next() -> Element? {
    guard let current = node?.pointee, let data = current.data else { return nil }
    node = current.next
    return element(data)
  }
}
