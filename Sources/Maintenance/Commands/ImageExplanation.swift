// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import JSON

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

  private static let schema = 1

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
    let maker = "\(image.image.generator.rawValue)\(preset)"
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
    .object([
      .init("schema", .number(Self.schema)),
      .init("version", .string(Version.current)),
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
            return .object(members + [.init("dkms_modules", .array(dkmsModules(in: image).map(JSON.string)))])
          })),
    ])
  }
}
