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
    do { images = try await KernelImages(of: kernels, snapshot, configuration, database) } catch {
      throw DKMSError(error)
    }
    let conditions = try await ConditionReader(snapshot).conditions(of: kernels)
    return ImageExplanation(
      kernels: conditions, images: images.conditions, problems: images.problems,
      generators: InstalledGenerators(database).kinds,
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

/// What there is to say about the images of kernels.
struct ImageExplanation {
  /// The kernels, with their modules.
  let kernels: [KernelCondition]
  /// Their images.
  let images: [ImageCondition]
  /// What of the generator's configuration cannot be read.
  let problems: [GenerationError]
  /// The generators that are installed.
  let generators: [ImageGenerator]
  /// Whether images were looked at that only root may read.
  let isForRoot: Bool

  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 2

  /// Whether every image is fresh, and none is unknown.
  var isWell: Bool { images.allSatisfy(\.isFresh) && problems.isEmpty }

  /// Says of each image what makes it, whether it is fresh, why not, and which modules of DKMS are in it.
  func say(on console: Console) {
    if generators.isEmpty { console.print("==> no generator of initramfs images is installed") }
    for kernel in kernels where !generators.isEmpty {
      console.print("==> \(kernel.kernel.release)")
      let own = images.filter { $0.image.kernel == kernel.kernel }
      if own.isEmpty {
        console.print("  -> no image of it \(isForRoot ? "is known" : "can be read; root may see more")")
      }
      for image in own { say(image, on: console) }
    }
    for problem in problems { console.printError("==> ERROR: \(problem)") }
  }

  private func say(_ image: ImageCondition, on console: Console) {
    let preset = image.image.preset.map { " \($0)" } ?? ""
    let maker = image.image.generator.map { "\($0.rawValue)\(preset)" } ?? "nothing here makes it"
    if image.isFresh {
      console.print("  -> \(image.image.path) (\(maker)): fresh, its modules are the installed ones")
    } else {
      console.print("  -> \(image.image.path) (\(maker)): \(image.isUnknown ? "unknown" : "stale")")
      for flaw in image.flaws { console.print("     \(flaw.words)") }
    }
    guard !image.isUnusable, !image.isUnknown else { return }
    let names = dkmsModules(in: image)
    let others = image.modules.count - names.count
    console.print(
      "     modules of DKMS in it: \(names.isEmpty ? "none" : names.joined(separator: ", ")); \(others.counted("other"))"
    )
  }

  /// The modules in an image that belong to what DKMS has for its kernel.
  private func dkmsModules(in image: ImageCondition) -> [String] {
    let kernel = kernels.first { $0.kernel == image.image.kernel }
    let names = Set((kernel?.modules ?? []).flatMap(\.moduleNames).map(\.asKernelModuleName))
    return image.modules.filter { names.contains($0) }
  }

  /// What `alpm-dkms initramfs --explain --json` prints.
  var json: JSON {
    .document(
      schema: Self.schema,
      [
        .init("generators", .array(generators.map { .string($0.rawValue) })),
        .init(
          "problems",
          .array(
            problems.map {
              .object([.init("file", .string($0.subject)), .init("reason", .string($0.reason))])
            })),
        .init(
          "images",
          .array(
            images.map { image in
              guard case .object(let members) = image.json else { return image.json }
              return .object(
                members + [.init("dkms_kernel_modules", .array(dkmsModules(in: image).map(JSON.string)))])
            })),
      ])
  }
}
