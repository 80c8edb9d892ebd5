// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Host
package import Pacman
package import SystemPackage

/// The local package database, with the questions that the hooks ask; without one, nothing is owned.
package struct Database: ~Copyable {
  private let packages: LocalDatabase?
  private let caches: [FilePath]
  /// Why there is none.
  package let problem: AlpmError?

  /// Opens the database below a root.
  ///
  /// - Parameters:
  ///   - root: The installation root.
  ///   - asksLibrary: Whether libalpm is asked; without it our own reader answers, which needs less time.
  package init(root: FilePath, asksLibrary: Bool = true) {
    caches = PacmanConfiguration(root: root).cacheDirectories
    do {
      packages = try LocalDatabase(root: root, source: asksLibrary ? .automatic : .files)
      problem = nil
    } catch {
      packages = nil
      problem = error
    }
  }

  /// Whether a package is known to own the path; asks the named packages first.
  ///
  /// Where any file list is damaged, a no is not certain.
  package func isOwned(_ path: String, hints: [String]) -> Bool {
    packages?.owners(of: path, consultingFirst: hints).isEmpty == false
  }

  /// The packages of which nobody knows what they own, each with what fixes it.
  package var damagedLists: [DKMSError] {
    (packages?.damagedFileLists() ?? []).map { list in
      .fileListDamaged(
        package: list.package.name, reason: "\(list.reason)", remedy: list.remedy(caches: caches))
    }
  }

  /// The packages that own a path, which is relative to the root directory.
  package func owners(of path: String) -> [String] { packages?.owners(of: path, consultingFirst: []) ?? [] }

  /// The packages that own a kernel and its headers, with versions and build dates; nil where nobody does, or where
  /// the list of one that may is damaged: those that are known would be taken for all.
  package func kernelOwner(of release: KernelRelease, hasHeaders: Bool, hints: [String]) -> String? {
    guard !hints.contains(where: { hasPackage($0) && files(of: $0) == nil }) else { return nil }
    let names = (hasHeaders ? ["", "build/"] : [""]).flatMap { name in
      packages?.owners(of: "usr/lib/modules/\(release)/\(name)", consultingFirst: hints) ?? []
    }
    let owners = Set(names).sorted().compactMap { packages?.package(named: $0) }
      .map { "\($0.name) \($0.version) \($0.buildDate)" }
    return owners.isEmpty ? nil : owners.joined(separator: ", ")
  }

  /// The files of a package; nil where it is not installed, or its list is damaged.
  package func files(of package: String) -> [String]? {
    guard packages?.package(named: package) != nil else { return nil }
    return try? packages?.files(of: package)
  }

  /// The package that owns a file, and what the repositories have of it; nil where none owns it.
  package func origin(of file: FilePath, root: FilePath) -> SourceOrigin? {
    var path = file
    guard path.removePrefix(root), let owner = owners(of: path.string).first,
      let version = packages?.package(named: owner)?.version
    else { return nil }
    let offer: SourceOrigin.Offer =
      switch LocalDatabase.offer(of: owner, installed: version, root: root) {
      case .unknown: .unknown
      case .absent: .none
      case .nothingNewer: .nothingNewer
      case .newer(let version, let repository): .newer(version: version, repository: repository)
      }
    return SourceOrigin(package: owner, version: version, offer: offer)
  }

  /// Whether a package of that name is installed.
  package func hasPackage(_ name: String) -> Bool { packages?.package(named: name) != nil }

  /// Why it is not certain what packages own; nil if it is.
  package var doubt: DKMSError? {
    if let problem {
      return .system(
        operation: "tell", subject: "what packages own, so nothing may be removed", reason: "\(problem)")
    }
    return damagedLists.first
  }

  /// What packages own below a directory, as whole paths; links in the directory's own path are resolved.
  ///
  /// - Throws: `HostError` where the directory cannot be looked at.
  package func ownedPaths(below directory: FilePath, root: FilePath) throws(HostError) -> [FilePath] {
    let places = [directory, try Files.resolved(directory) ?? directory]
    let roots = [root, try Files.resolved(root) ?? root]
    return zip(places, roots).flatMap { place, root -> [FilePath] in
      var relative = place
      guard relative.removePrefix(root) else { return [] }
      let name = relative.string
      return (packages?.entries(matching: "\(name)/*") ?? []).map { entry in
        var below = FilePath(entry.path)
        _ = below.removePrefix(relative)
        return directory.appending(below.components)
      }
    }
  }

  /// Whether pacman is at work, or was when it was killed.
  ///
  /// - Throws: `HostError` where that cannot be told.
  package func isLocked(root: FilePath) throws(HostError) -> Bool {
    try Files.exists(LocalDatabase.databasePath(root: root).appending("db.lck"))
  }

  /// What is known of a package; nil where it is not installed.
  package func known(_ package: String) -> KnownPackage? {
    guard let version = packages?.package(named: package)?.version, let files = files(of: package) else {
      return nil
    }
    return KnownPackage(version: version, files: files)
  }

  /// When the packages that own a path were installed, the last of them, in seconds since 1970; nil where that is not
  /// recorded.
  package func installDate(ofOwnerOf path: String, hints: [String]) -> Int? {
    let owners = packages?.owners(of: path, consultingFirst: hints) ?? []
    return owners.compactMap { packages?.package(named: $0)?.installDate }.filter { $0 > 0 }.max()
  }

  /// The directories below one that packages own a dkms.conf in, by name, with their packages.
  ///
  /// - Parameters:
  ///   - directory: The directory, as a path relative to the root.
  ///   - isThorough: Whether the lists of all packages are read; without it, of those that are named after DKMS, as
  ///     Arch's guidelines have it.
  /// - Returns: The name of a package for each directory.
  package func packagedSources(below directory: String, isThorough: Bool) -> [String: String] {
    let names = isThorough ? nil : packages?.packageNames().filter { $0.contains("dkms") }
    let owned = packages?.entries(matching: "\(directory)/*/dkms.conf", in: names) ?? []
    return owned.reduce(into: [:]) { sources, entry in
      let name = entry.path.dropFirst(directory.utf8.count + 1).dropLast("/dkms.conf".utf8.count)
      if !name.contains("/") { sources[String(name)] = entry.package }
    }
  }

  /// The directories in the source tree that targets name, by themselves or through their package.
  package func moduleSources(of targets: [HookTarget]) -> Set<String> {
    var directories: Set<String> = []
    for target in targets {
      switch target {
      case .moduleSource(let directory): directories.insert(directory)
      case .package(let name):
        let files = files(of: name) ?? []
        directories.formUnion(files.compactMap(HookTarget.init(line:)).compactMap(\.moduleSource))
      case .kernel, .headers, .suite: break
      }
    }
    return directories
  }
}

extension HookTarget {
  fileprivate var moduleSource: String? {
    if case .moduleSource(let directory) = self { directory } else { nil }
  }
}
