// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import JSON

/// What there is to say about how kernels boot: from the kernel's file to the modules in its images.
struct ImageExplanation {
  /// The kernels, with their modules.
  let kernels: [KernelCondition]
  /// Their images, and what is known of how they are booted.
  let images: KernelImages
  /// The entries of boot loaders that name images.
  let boots: [ImageBoot]
  /// What makes each image, by its path.
  let commands: [String: [String]]
  /// The generators that are installed.
  let generators: [ImageGenerator]
  /// When images are made.
  let policy: ImagePolicy
  /// Whether images were looked at that only root may read.
  let isForRoot: Bool

  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 2

  /// Whether every image is fresh, none is unknown, and none is booted with another kernel than its own.
  var isWell: Bool {
    images.conditions.allSatisfy(\.isFresh) && images.problems.isEmpty
      && !boots.contains(where: \.isMismatched)
  }

  // MARK: Words

  /// Says of each kernel which file it is, and of each image what boots it, what makes it, whether it is fresh, why
  /// not, and which modules of DKMS are in it.
  func say(on console: Console) {
    if generators.isEmpty { console.print("==> no generator of initramfs images is installed") }
    for kernel in kernels where !generators.isEmpty || !images.conditions.isEmpty {
      console.print("==> \(kernel.kernel.release)")
      for line in fileLines(of: kernel.kernel) { console.print("  -> \(line)") }
      let own = images.conditions.filter { $0.image.kernel == kernel.kernel }
      if own.isEmpty {
        console.print("  -> no image of it \(isForRoot ? "is known" : "can be read; root may see more")")
      }
      for image in own { say(image, on: console) }
    }
    for problem in images.problems { console.printError("==> ERROR: \(problem)") }
  }

  private func fileLines(of kernel: Kernel) -> [String] {
    images.files.filter { $0.kernel == kernel }.map { file in
      "the kernel \(file.path)\(file.release == nil ? ", which does not tell its release" : "")"
    } + images.strays.filter { $0.kernel == kernel }.map { "\($0.path): \($0.reason)" }
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
    for line in bootLines(of: image) + [commandLine(of: image)].compactMap(\.self) {
      console.print("     \(line)")
    }
    guard !image.isUnusable, !image.isUnknown else { return }
    let names = dkmsModules(in: image)
    let others = image.modules.count - names.count
    console.print(
      "     modules of DKMS in it: \(names.isEmpty ? "none" : names.joined(separator: ", ")); \(others.counted("other"))"
    )
  }

  private func bootLines(of image: ImageCondition) -> [String] {
    let own = boots.filter { $0.image == image }.map(\.words)
    return own.isEmpty ? ["no entry of systemd-boot, Limine, GRUB or rEFInd is known to boot it"] : own
  }

  /// When it is made anew, and what is called then.
  private func commandLine(of image: ImageCondition) -> String? {
    guard let command = commands[image.image.path] else { return nil }
    let words = command.map(\.quotedForShell).joined(separator: " ")
    return switch policy {
    case .auto: "made when it is stale, with: \(words)"
    case .always: "made in each transaction that concerns its kernel, with: \(words)"
    case .never: "left to others by initramfs = never; it would be made with: \(words)"
    }
  }

  /// The modules in an image that belong to what DKMS has for its kernel.
  private func dkmsModules(in image: ImageCondition) -> [String] {
    let kernel = kernels.first { $0.kernel == image.image.kernel }
    let names = Set((kernel?.modules ?? []).flatMap(\.moduleNames).map(\.asKernelModuleName))
    return image.modules.filter { names.contains($0) }
  }

  // MARK: Programs

  /// What `alpm-dkms initramfs --explain --json` prints.
  var json: JSON {
    .document(
      schema: Self.schema,
      [
        .init("generators", .array(generators.map { .string($0.rawValue) })),
        .init("policy", .string(policy.rawValue)),
        .init(
          "problems",
          .array(
            images.problems.map {
              .object([.init("file", .string($0.subject)), .init("reason", .string($0.reason))])
            })),
        .init(
          "kernel_files",
          .array(
            images.files.map { Self.json($0.path, $0.release, $0.kernel) }
              + images.strays.map { Self.json($0.path, $0.release, $0.kernel) })),
        .init("images", .array(images.conditions.map(json))),
      ])
  }

  private static func json(_ path: String, _ release: String?, _ kernel: Kernel) -> JSON {
    .object([
      .init("path", .string(path)), .init("kernel", .string(kernel.release.description)),
      .init("release", .string(orNull: release)),
    ])
  }

  private func json(_ image: ImageCondition) -> JSON {
    guard case .object(let members) = image.json else { return image.json }
    return .object(
      members + [
        .init("dkms_kernel_modules", .array(dkmsModules(in: image).map(JSON.string))),
        .init("command", commands[image.image.path].map { .array($0.map(JSON.string)) } ?? .null),
        .init("loader_entries", .array(boots.filter { $0.image == image }.map(\.json))),
      ])
  }
}
