// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host
internal import Inspection
internal import JSON
internal import Pacman
internal import SystemPackage

/// `alpm-dkms prune`: lists what no package owns and no kernel needs, and removes it on request.
public struct PruneCommand: Sendable {
  private let isAgreed: Bool
  private let printsJSON: Bool
  private let asks: @Sendable (String) async -> Bool?

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - isAgreed: Whether to remove without asking.
  ///   - printsJSON: Whether programs read it.
  ///   - asks: Asks the user, who says yes or no; nil where nobody can be asked, and nothing is removed.
  public init(
    isAgreed: Bool = false, printsJSON: Bool = false,
    asks: @escaping @Sendable (String) async -> Bool? = TerminalQuestion.ask
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
      let snapshot = try await Settings.read(over: layout, host: host).framework.snapshot(on: host)
      let layout = snapshot.layout
      let database = Database(root: layout.root)
      if let doubt = database.doubt { throw doubt }
      let plan: PrunePlan
      let isLocked: Bool
      do throws(HostError) {
        plan = try PrunePlan(PruneFacts(snapshot, database)).measured(Files.diskUsage)
        isLocked = try database.isLocked(root: layout.root)
      } catch {
        throw DKMSError(error)
      }
      if !printsJSON { say(plan, host) }
      var removal = Removal()
      if !plan.items.isEmpty, try await shallRemove(plan, host) {
        if isLocked {
          throw .system(operation: "prune", subject: "\(layout.root)", reason: "pacman is at work on it")
        }
        removal = try await remove(plan, snapshot, printsJSON ? host.forPrograms() : host)
      }
      if printsJSON { host.console.print(plan.json(without: removal.paths).text) }
      return removal.isWell ? 0 : 1
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private func say(_ plan: PrunePlan, _ host: Host) {
    if plan.items.isEmpty { host.console.print("==> There is nothing to remove") }
    plan.lines(host.style).forEach(host.console.print)
  }

  private func shallRemove(_ plan: PrunePlan, _ host: Host) async throws(DKMSError) -> Bool {
    if !isAgreed && (printsJSON || !host.isRoot) { return false }
    guard host.isRoot else {
      throw .system(operation: "remove", subject: "anything", reason: "this needs root")
    }
    if isAgreed { return true }
    return await asks("Remove \(plan.items.count.counted("item")), \(ByteCount(plan.size))?") ?? false
  }

  /// What came of removing.
  private struct Removal {
    /// What is gone.
    var paths: Set<FilePath> = []
    /// Whether everything went well.
    var isWell = true
  }

  private func remove(
    _ plan: PrunePlan, _ snapshot: Snapshot, _ host: Host
  ) async throws(DKMSError) -> Removal {
    let layout = snapshot.layout
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
    let report = try await Executor(snapshot).execute(Planner.writeDependencies(of: releases))
    for error in report.failures { Narrator(host.console).fail(error) }
    if !report.failures.isEmpty { removal.isWell = false }
    return removal
  }
}

extension Prunable {
  /// The kernel in whose directory a leftover lies; nil for anything else.
  func kernel(in layout: Layout) -> KernelRelease? {
    guard kind == .leftover, path.starts(with: layout.installTree) else { return nil }
    let rest = path.components.dropFirst(layout.installTree.components.count)
    return rest.first.flatMap { try? KernelRelease($0.string) }
  }

  /// The directory that runs lock to work where it is.
  private func lockedDirectory(_ layout: Layout) -> FilePath {
    // Builds lock the directory of the kernel: module, version, kernel, architecture.
    let isProduct = path.components.count == layout.dkmsTree.components.count + 4
    let isOwn = kind == .kernelRemains || kind == .emptyDirectory && !isProduct
    return isOwn ? path : path.removingLastComponent()
  }

  /// Removes it, unless another run has begun to work there.
  func remove(_ layout: Layout) throws(HostError) {
    guard let lock = DirectoryLock.tryExclusive(lockedDirectory(layout)) else {
      if try !Files.exists(path) { return }
      throw HostError("remove", path, .resourceBusy)
    }
    if kind == .kernelRemains, let release = path.lastComponent.flatMap({ try? KernelRelease($0.string) }) {
      // A kernel may have come there since it was listed.
      let remains = try KernelRemains(of: release, in: layout)
      guard remains.isAll else { throw HostError("remove", path, .directoryNotEmpty) }
      try remains.remove()
    } else if kind == .emptyDirectory, try !Files.list(path).isEmpty {
      throw HostError("remove", path, .directoryNotEmpty)
    } else {
      try Files.remove(path)
    }
    lock.release()
    for tree in [layout.dkmsTree, layout.installTree] {
      Files.removeEmptyDirectories(from: path.removingLastComponent(), upTo: tree)
    }
  }
}
