// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import SystemPackage

/// The directories at the top of a tarball that `mktarball` makes.
enum TarballLayout {
  /// What was built: a directory for each kernel release, and in it one for each architecture.
  ///
  /// Always there.
  static let builds: FilePath = "dkms_main_tree"
  /// The source.
  static let source: FilePath = "dkms_source_tree"
  /// The dkms.conf alone, in the place of the source.
  static let description: FilePath = "dkms_binaries_only"
}

extension DKMSError {
  /// The error of an archive, as the engine reports it; `wrap` makes an error from the reason.
  static func tarball(_ error: ArchiveError, _ wrap: (String) -> DKMSError) -> DKMSError {
    guard case .noLibrary(let detail) = error.reason else { return wrap("\(error.reason)") }
    return .libraryMissing(package: "libarchive", detail: detail)
  }
}

/// The parts of a tarball that are loaded, each of which stays whole when it is moved elsewhere.
struct TarballParts {
  /// The directory that holds the dkms.conf.
  let directory: FilePath
  /// Directories of builds.
  let builds: [Kernel: FilePath]
  /// Whether `mktarball` made it.
  let isOurs: Bool

  /// Finds the parts; throws `DKMSError` where they are missing, `ArchiveError` where a link leads out of one.
  init(of tarball: FilePath, _ contents: ArchiveContents) throws {
    isOurs = contents.hasDirectory(TarballLayout.builds)
    if isOurs {
      let places = [TarballLayout.source, TarballLayout.description]
      // A link here would lead to a part whose own links have not been checked.
      let holdsModule = { (place: FilePath) in
        contents.hasDirectory(place) && contents.hasFile(place.appending("dkms.conf"))
      }
      guard let place = places.first(where: holdsModule) else {
        throw DKMSError.tarballWithoutModule(path: tarball.string)
      }
      directory = place
      builds = try Self.builds(in: contents, tarball)
    } else {
      guard let file = contents.files(named: "dkms.conf").first else {
        throw DKMSError.tarballWithoutConfiguration(path: tarball.string)
      }
      directory = file.removingLastComponent()
      builds = [:]
    }
    for part in [directory] + builds.values { try contents.checkLinks(below: part) }
  }

  private static func builds(in contents: ArchiveContents, _ tarball: FilePath) throws -> [Kernel: FilePath] {
    var builds: [Kernel: FilePath] = [:]
    for release in contents.names(in: TarballLayout.builds) {
      let path = TarballLayout.builds.appending(release)
      for architecture in contents.names(in: path)
      where contents.hasDirectory(path.appending(architecture).appending("module")) {
        // A directory with another kind of name would not be taken for a build.
        guard ModuleTree.looksLikeRelease(release.string) else {
          throw DKMSError.tarballUnusable(
            path: tarball.string,
            reason: "'\(release.string)' in \(TarballLayout.builds) is not a kernel release")
        }
        let kernel = try Kernel(
          release: KernelRelease(release.string), architecture: architecture.string)
        builds[kernel] = path.appending(architecture)
      }
    }
    return builds
  }
}
