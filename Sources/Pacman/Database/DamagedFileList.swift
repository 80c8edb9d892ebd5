// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

/// An installed package of which pacman's database no longer tells what it owns, as after a loss of power.
public struct DamagedFileList: Hashable, Sendable {
  /// The package.
  public let package: InstalledPackage
  /// The list.
  public let file: FilePath
  /// What is wrong with it.
  public let reason: AlpmError.Reason

  /// What makes pacman write the list anew.
  ///
  /// From the same package file it writes only the list. Without that it has to install the package again, whatever
  /// version there is by now: a newer list alone would leave the files of the old version to nobody. It refuses to
  /// work on a package whose list is missing, but not on one whose list is empty.
  ///
  /// - Parameter caches: Where pacman keeps package files.
  /// - Returns: A command for a shell.
  public func remedy(caches: [FilePath]) -> String {
    let isMissing = reason == .system(.noSuchFileOrDirectory)
    let beginning = isMissing ? "touch \(file) && " : ""
    for cache in caches {
      let names =
        (try? DirectoryEntry.all(in: cache.string))?.map(\.name).sorted(by: String.inByteOrder) ?? []
      if let name = names.first(where: isPackageFile) {
        return "\(beginning)pacman -U --dbonly \(cache.appending(name))"
      }
    }
    return "\(beginning)pacman -Syu --overwrite '*' \(package.name)"
  }

  /// `NAME-VERSION-ARCHITECTURE.pkg.tar` with what compressed it.
  private func isPackageFile(_ name: String) -> Bool {
    let prefix = "\(package.name)-\(package.version)-"
    guard name.hasPrefix(prefix), !name.hasSuffix(".sig"), !name.hasSuffix(".part") else { return false }
    let rest = name.dropFirst(prefix.count)
    return rest.prefix { $0 != "." }.allSatisfy { $0 != "-" } && rest.drop { $0 != "." }.hasPrefix(".pkg.tar")
  }
}
