// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Hooks
internal import Host
internal import Inspection
internal import Journal
internal import SystemPackage

/// What there is in the trees, as far as it decides what may go.
struct PruneFacts: Hashable {
  /// A kernel's directory.
  struct KernelDirectory: Hashable {
    var release: KernelRelease
    var path: FilePath
    /// Whether it holds nothing but what DKMS and depmod put there.
    var holdsOnlyRemains: Bool
  }

  /// What was built for a kernel release.
  struct Products: Hashable {
    var release: KernelRelease
    var path: FilePath
  }

  /// Every kernel directory there is.
  var kernels: [KernelDirectory] = []
  /// The kernels that are running, or were removed in this boot while they ran.
  var booted: Set<KernelRelease> = []
  /// All that was built.
  var products: [Products] = []
  /// Links to what is installed, and where they lead; nil for those that lead nowhere.
  var links: [FilePath: FilePath?] = [:]
  /// What is half made.
  var leftovers: [FilePath] = []
  /// Copies of sources that are there.
  var idleSources: [FilePath] = []
  /// Directories with nothing in them.
  var emptyDirectories: [FilePath] = []
  /// The paths, among those above and below them, that packages own.
  var owned: Set<FilePath> = []

  /// Reads them.
  ///
  /// - Throws: `HostError` where a look failed: then nothing may go.
  init(_ snapshot: Snapshot, _ database: borrowing Database) throws(HostError) {
    let (layout, host) = (snapshot.layout, snapshot.host)
    let survey = try TreeSurvey(snapshot)
    for release in try snapshot.kernels().releases {
      let remains = try KernelRemains(of: release, in: layout)
      kernels.append(
        KernelDirectory(release: release, path: layout.kernel(release), holdsOnlyRemains: remains.isAll))
    }
    let kept = try BootRecords(layout).all().filter { $0.boot == host.bootIdentifier }.map(\.release)
    booted = Set(kept + [try? KernelRelease(host.runningRelease)].compactMap { $0 })
    products = survey.modules.flatMap { record in
      Set(record.builds.map(\.kernel.release)).map {
        Products(release: $0, path: layout.products(record.id, $0))
      }
    }.sorted { $0.path.string < $1.path.string }
    links = try survey.activeLinks()
    leftovers = try LeftoverSweeper(layout).leftovers().filter { !Self.isInUse($0) }
    idleSources = try survey.idleSources()
    emptyDirectories = try survey.emptyDirectories()
    let trees = [layout.installTree, layout.dkmsTree, layout.sourceTree]
    for tree in trees { owned.formUnion(try database.ownedPaths(below: tree, root: layout.root)) }
  }

  /// Describes nothing at all.
  init() {}

  /// Whether another run is at work where this is.
  private static func isInUse(_ path: FilePath) -> Bool {
    // Without the right to open it nobody can tell; then it stays.
    guard let lock = DirectoryLock.tryExclusive(path.removingLastComponent()) else { return true }
    lock.release()
    return false
  }
}
