// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Hooks
internal import Host
internal import Journal
internal import SystemPackage

/// What completions of `alpm-dkms` offer, as far as its grammar does not say it.
public enum CompletionOffers {
  /// The releases of the kernels that are there.
  public static var kernels: [String] {
    let snapshot = Snapshot(host: .live(), layout: Layout(), options: BuildOptions())
    return (try? snapshot.kernels().kernels.map(\.description)) ?? []
  }

  /// The numbers of the records, the newest first, and files that may be records or bundles.
  public static var records: [String] {
    let numbers = (try? Journal(Layout()).numbers) ?? []
    let names = (try? Files.list(Host.live().workingDirectory)) ?? []
    let files = names.filter { name in
      if name.hasPrefix(".") { return false }
      return name.hasSuffix(".json") || name.contains(".tar")
        || (try? Files.isDirectory(FilePath(name))) == true
    }
    return numbers.reversed().map { "\($0)" } + files
  }
}
