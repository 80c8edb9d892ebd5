// SPDX-License-Identifier: GPL-2.0-or-later

internal import CAlpm
internal import Host
public import SystemPackage

/// What the repositories have of an installed package, as far as pacman has last seen them.
public enum PackageOffer: Hashable, Sendable {
  /// Nobody knows: pacman has seen no repository, or libalpm cannot be used.
  case unknown
  /// No repository has it.
  case absent
  /// Nothing newer than what is installed.
  case nothingNewer
  /// A newer version.
  case newer(version: String, repository: String)
}

extension LocalDatabase {
  /// What the repositories have of a package that is installed in this version.
  ///
  /// Their lists are read for one question and then let go, since it is seldom asked.
  public static func offer(of package: String, installed version: String, root: FilePath) -> PackageOffer {
    offer(of: package, installed: version, root: root, sonames: AlpmLibrary.verifiedSonames)
  }

  static func offer(
    of package: String, installed version: String, root: FilePath, sonames: [String]
  ) -> PackageOffer {
    let (path, suffix) = (databasePath(root: root), ".db")
    let names = ((try? Files.list(path.appending("sync"))) ?? [])
      .filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    guard !names.isEmpty, let handle = try? LibraryHandle(sonames: sonames, root: root, databasePath: path)
    else { return .unknown }
    return handle.offer(of: package, installed: version, in: names)
  }
}
