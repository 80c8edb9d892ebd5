// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host
internal import Inspection
internal import JSON
internal import Pacman
internal import SystemPackage

/// `alpm-dkms prune`: lists what no package owns and no kernel needs, and removes it when told.
public struct PruneCommand: Sendable {
  private let isAgreed: Bool
  private let printsJSON: Bool
  private let asks: @Sendable (String) -> Bool?

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - isAgreed: Whether to remove without asking.
  ///   - printsJSON: Whether programs read it.
  ///   - asks: Asks the user, who says yes or no; nil where nobody can be asked, and nothing is removed.
  public init(
    isAgreed: Bool = false, printsJSON: Bool = false,
    asks: @escaping @Sendable (String) -> Bool? = TerminalQuestion.ask
  ) {
    self.isAgreed = isAgreed
    self.printsJSON = printsJSON
    self.asks = asks
  }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Lists and removes; 0 unless something that was to be removed is there still, or cannot be told.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      let layout = try await Framework.read(over: layout, host: host).layout
      let database = Database(root: layout.root)
      if let doubt = database.doubt {
        throw .system(
          operation: "tell", subject: "what packages own, so nothing may go", reason: "\(doubt)")
      }
      let plan = PrunePlan(PruneFacts(layout, host: host, database: database)).measured(Files.diskUsage)
      if !printsJSON { say(plan, host) }
      var removal = Removal()
      if !plan.items.isEmpty, try shallRemove(plan, host) {
        if database.isLocked(root: layout.root) {
          throw .system(operation: "prune", subject: "\(layout.root)", reason: "pacman is at work on it")
        }
        removal = try await remove(plan, layout, printsJSON ? host.forPrograms() : host)
      }
      if printsJSON { host.console.print(plan.json(without: removal.paths).text) }
      return removal.isWell ? 0 : 1
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private func say(_ plan: PrunePlan, _ host: Host) {
    if plan.items.isEmpty { host.console.print("==> Nothing is there that could go") }
    plan.lines(host.style).forEach(host.console.print)
  }

  private func shallRemove(_ plan: PrunePlan, _ host: Host) throws(DKMSError) -> Bool {
    if !isAgreed && (printsJSON || !host.isRoot) { return false }
    guard host.isRoot else {
      throw .system(operation: "remove", subject: "anything", reason: "this needs root")
    }
    return isAgreed || asks("Remove \(plan.items.count) of them, \(ByteCount(plan.size))?") ?? false
  }

  /// What came of removing.
  private struct Removal {
    /// What is gone.
    var paths: Set<FilePath> = []
    /// Whether everything went well.
    var isWell = true
  }

  private func remove(
    _ plan: PrunePlan, _ layout: Layout, _ host: Host
  ) async throws(DKMSError) -> Removal {
    var removal = Removal()
    for item in plan.items {
      do throws(HostError) {
        try item.remove(layout)
        removal.paths.insert(item.path)
        host.console.print("  -> \(item.path): removed")
      } catch {
        Narrator(host.console).fail(DKMSError(error))
        removal.isWell = false
      }
    }
    // A directory that has lost a file is newer than its modules.dep.
    let releases = Set(plan.items.compactMap { $0.kernel(in: layout) })
    var following = Plan()
    for release in releases.sorted(by: { $0.description < $1.description }) {
      following.append(.depmod(release), because: .modulesChange)
    }
    let report = try await Executor(host: host, layout: layout, options: BuildOptions()).execute(following)
    report.failures.forEach(Narrator(host.console).fail)
    if !report.failures.isEmpty { removal.isWell = false }
    return removal
  }
}

extension Prunable {
  /// The kernel that stays and in whose directory it is.
  func kernel(in layout: Layout) -> KernelRelease? {
    guard kind == .leftover, path.starts(with: layout.installTree) else { return nil }
    let rest = path.components.dropFirst(layout.installTree.components.count)
    return rest.first.flatMap { try? KernelRelease($0.string) }
  }

  /// Removes it, unless another run has begun to work there.
  func remove(_ layout: Layout) throws(HostError) {
    let place = kind == .kernelRemains || kind == .emptyDirectory ? path : path.removingLastComponent()
    guard let lock = DirectoryLock.tryExclusive(place) else {
      if Files.kind(path) == nil { return }
      throw HostError("remove", path, .resourceBusy)
    }
    try Files.remove(path)
    lock.release()
    for tree in [layout.dkmsTree, layout.installTree] {
      Files.removeEmptyDirectories(from: path.removingLastComponent(), upTo: tree)
    }
  }
}
