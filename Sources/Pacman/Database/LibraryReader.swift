// SPDX-License-Identifier: GPL-2.0-or-later

internal import CAlpm
internal import Glibc
internal import Host
internal import SystemPackage

/// The local database as libalpm reads it, for as long as its `LibraryHandle` lives.
///
/// libalpm reads a file list when it is first asked for and keeps it, all of them some 49 MB on a large system.
struct LibraryReader: DatabaseReader {
  let library: AlpmLibrary
  let database: OpaquePointer
  let layout: DatabaseLayout

  func packages() -> [InstalledPackage] {
    packagePointers(among: nil).map(installedPackage)
  }

  func package(named name: String) -> InstalledPackage? {
    library.getPackage(database, name).map(installedPackage)
  }

  func packageNames() -> [String] { packagePointers(among: nil).map(name) }

  func files(of name: String) -> [String]? {
    library.getPackage(database, name).map { files(of: $0).map { String(cString: $0.name) } }
  }

  func owners(of path: PathName, among names: [String]?) -> [String] {
    let spellings = path.spellings
    return packagePointers(among: names)
      .filter { package in spellings.contains { owns(package, $0) } }
      .map(name)
  }

  func entries(matching pattern: PathPattern, among names: [String]?) -> [OwnedPath] {
    packagePointers(among: names).flatMap { package in
      files(of: package)
        .filter { pattern.matches(UnsafeRawBufferPointer(start: $0.name, count: strlen($0.name))) }
        .map { OwnedPath(package: name(of: package), path: String(cString: $0.name)) }
    }
  }
}

extension LibraryReader {
  private func packagePointers(among names: [String]?) -> [OpaquePointer] {
    if let names {
      return Set(names).sorted(by: String.inByteOrder).compactMap { library.getPackage(database, $0) }
    }
    return Array(AlpmList(library.getPackageCache(database), OpaquePointer.init))
  }

  private func name(of package: OpaquePointer) -> String {
    library.getName(package).map { String(cString: $0) } ?? ""
  }

  private func installedPackage(_ package: OpaquePointer) -> InstalledPackage {
    let name = name(of: package)
    let version = library.getVersion(package).map { String(cString: $0) } ?? ""
    // Once libalpm has failed to read a package's desc, it reads no file list of it either.
    let isReadable = mayRead("desc", of: name, version)
    return InstalledPackage(
      name: name, version: version,
      buildDate: isReadable ? Int(library.getBuildDate(package)) : 0,
      installDate: isReadable ? Int(library.getInstallDate(package)) : 0)
  }

  private func files(of package: OpaquePointer) -> UnsafeBufferPointer<alpm_file_t> {
    let version = library.getVersion(package).map { String(cString: $0) } ?? ""
    guard mayRead("files", of: name(of: package), version), let list = library.getFiles(package)?.pointee
    else { return .init(start: nil, count: 0) }
    return .init(start: list.files, count: list.count)
  }

  private func owns(_ package: OpaquePointer, _ path: String) -> Bool {
    guard files(of: package).baseAddress != nil else { return false }
    return library.fileListContains(library.getFiles(package), path) != nil
  }

  /// Whether libalpm may be given a file of an entry: it would wait for a pipe, and take in a file of any size.
  private func mayRead(_ file: String, of name: String, _ version: String) -> Bool {
    let path = layout.path(of: file, name: name, version: version)
    guard access(path, R_OK) == 0 else { return false }
    do throws(HostError) {
      try Files.checkIsFile(FilePath(path), limit: DatabaseFile.sizeLimit)
      return true
    } catch {
      return false
    }
  }
}
