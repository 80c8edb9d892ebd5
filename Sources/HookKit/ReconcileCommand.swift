// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host

/// `alpm-dkms reconcile`: settles what a transaction without an end has left.
public struct ReconcileCommand: Sendable {
  /// Describes a call.
  public init() {}

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Does what the hook would do had a transaction just touched every kernel; 0 where all is well.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      let targets = try await everyKernel(layout, host)
        .map { TargetLine("usr/lib/modules/\($0)/modules.order") }
      let status = await InstallHook.settle(targets, by: .reconcile, layout: layout, host: host)
      guard !Task.isCancelled, !InstalledGenerators(Database(root: layout.root)).kinds.isEmpty else {
        return status
      }
      let images = await InitramfsHook.settle(targets, by: .reconcile, layout: layout, host: host)
      return status == 0 ? images : status
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  /// Kernels that are there, and those for which something is built.
  private func everyKernel(_ layout: Layout, _ host: Host) async throws(DKMSError) -> Set<KernelRelease> {
    let layout = try await Framework.read(over: layout, host: host).layout
    let built = ModuleTree(layout).state().modules.flatMap(\.builds).map(\.kernel.release)
    return Set(KernelCatalogue(layout).kernels + built)
  }
}
