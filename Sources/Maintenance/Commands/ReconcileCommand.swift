// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Journal

/// `alpm-dkms reconcile`: finishes what an interrupted transaction left undone.
public struct ReconcileCommand: Sendable {
  private let printsJSON: Bool

  /// Describes a call; `printsJSON` says whether programs read it, which get all words on standard error.
  public init(printsJSON: Bool = false) { self.printsJSON = printsJSON }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Does what the hooks would do if a transaction had just touched every kernel; 0 if all is well.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      guard host.isRoot else {
        throw .system(operation: "reconcile", subject: "anything", reason: "this needs root")
      }
      let targets = try await everyKernel(layout, host)
        .map { TargetLine("usr/lib/modules/\($0)/modules.order") }
      let speaking = printsJSON ? host.forPrograms() : host
      var calls = [await InstallHook.perform(targets, by: .reconcile, layout: layout, host: speaking)]
      if !Task.isCancelled, !InstalledGenerators(Database(root: layout.root)).kinds.isEmpty {
        calls.append(await InitramfsHook.perform(targets, by: .reconcile, layout: layout, host: speaking))
      }
      if printsJSON { host.console.print(calls.json().text) }
      return calls.status
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  /// Kernels that are there, and those for which something is built.
  private func everyKernel(_ layout: Layout, _ host: Host) async throws(DKMSError) -> Set<KernelRelease> {
    let snapshot = try await Settings.read(over: layout, host: host).framework.snapshot(on: host)
    return try onFiles { () throws(HostError) in
      let built = try snapshot.tree().modules.flatMap(\.builds).map(\.kernel.release)
      return Set(try snapshot.kernels().kernels + built)
    }
  }
}
