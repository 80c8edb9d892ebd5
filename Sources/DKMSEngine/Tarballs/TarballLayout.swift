// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
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
