// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Initramfs
internal import Inspection
internal import JSON
internal import Journal
internal import SystemPackage

/// `alpm-dkms initramfs`: rebuilds stale images, or says what state each is in.
public struct InitramfsCommand: Sendable {
  private let kernels: [String]
  private let explains: Bool
  private let printsJSON: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - kernels: The releases whose images are meant; none for every installed kernel that is not ignored.
  ///   - explains: Whether to say what there is, and make nothing.
  ///   - printsJSON: Whether programs read it.
  public init(kernels: [String] = [], explains: Bool = false, printsJSON: Bool = false) {
    self.kernels = kernels
    self.explains = explains
    self.printsJSON = printsJSON
  }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Does it; 0 where all images are as they should be in the end, else 1.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      let settings = try await Settings.read(over: layout, host: host)
      let (framework, configuration) = (settings.framework, settings.suite)
      let database = Database(root: layout.root)
      let snapshot = framework.snapshot(on: host)
      let releases = try releases(snapshot, configuration, database)
      guard explains else {
        guard host.isRoot else {
          throw .system(operation: "make", subject: "any image", reason: "this needs root")
        }
        let targets = releases.map { TargetLine("usr/lib/modules/\($0)/modules.order") }
        let call = await InitramfsHook.perform(
          targets, by: .initramfs, layout: layout, host: printsJSON ? host.forPrograms() : host)
        if printsJSON { host.console.print([call].json().text) }
        return call.status
      }
      var kernels: [Kernel] = []
      for release in releases {
        kernels.append(try Kernel(release: release, architecture: host.architecture))
      }
      let explanation = try await explanation(of: kernels, snapshot, configuration, database)
      if printsJSON {
        host.console.print(explanation.json.text)
      } else {
        explanation.say(on: host.console)
      }
      return explanation.isWell ? 0 : 1
    } catch {
      Narrator(host.console).fail(error, remedy: error.remedy(insteadOf: "alpm-dkms initramfs", layout, host))
      return 1
    }
  }

  private func explanation(
    of kernels: [Kernel], _ snapshot: Snapshot, _ configuration: SuiteConfiguration,
    _ database: borrowing Database
  ) async throws(DKMSError) -> ImageExplanation {
    let images: KernelImages
    let boots: [ImageBoot]
    let system = BootSystem(snapshot)
    do {
      images = try await KernelImages(of: kernels, snapshot, configuration, database)
      boots = try ImageBoot.all(of: images, on: system)
    } catch {
      throw DKMSError(error)
    }
    let conditions = try await ConditionReader(snapshot).conditions(of: kernels)
    return ImageExplanation(
      kernels: conditions, images: images, boots: boots, commands: images.commands(on: system),
      generators: InstalledGenerators(database).kinds, policy: configuration.initramfs,
      isForRoot: snapshot.host.isRoot)
  }

  private func releases(
    _ snapshot: Snapshot, _ configuration: SuiteConfiguration, _ database: borrowing Database
  ) throws(DKMSError) -> [KernelRelease] {
    var releases: [KernelRelease] = []
    for kernel in kernels { releases.append(try KernelRelease(kernel)) }
    for release in releases {
      let directory = snapshot.layout.kernel(release)
      let isThere = try onFiles { () throws(HostError) in try Files.isDirectory(directory) }
      guard isThere else { throw .kernelMissing(release, directory: directory.string) }
    }
    guard releases.isEmpty else { return releases }
    do {
      return try InstalledKernels(snapshot, database).releases.filter { !configuration.ignores($0) }
    } catch { throw DKMSError(error) }
  }
}
