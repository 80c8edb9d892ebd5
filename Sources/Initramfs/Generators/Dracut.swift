// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// dracut, with the names that Arch's hooks, `kernel-install`, Debian and dracut itself give to images.
struct Dracut: Generator {
  let kind = ImageGenerator.dracut
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes {
    let found = kernels.map { ($0, images(of: $0)) }
    guard found.contains(where: { !$0.1.isEmpty }) else { return ImageRecipes() }
    let files = configurationFiles
    let requests: [ModuleRequest]
    do { requests = try await self.requests(in: files) } catch { return ImageRecipes(problems: [error]) }
    let recipes = found.flatMap { kernel, images in
      images.map { image in
        ImageRecipe(
          images: [image],
          options: ["--force"] + options(for: image) + ["--kver", "\(kernel.kernel.release)"],
          requests: requests, configurationFiles: files.map(\.string))
      }
    }
    return ImageRecipes(recipes)
  }

  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String] { recipe.options + paths }

  private func options(for image: InitramfsImage) -> [String] {
    if image.form == .unifiedKernelImage { return ["--uefi"] }
    return image.preset == Self.fallback ? ["--no-hostonly"] : []
  }

  private static let fallback = "fallback"

  // MARK: Images

  /// The images of a kernel that are there, or the one that it should have.
  private func images(of kernel: BootableKernel) -> [InitramfsImage] {
    let release = kernel.kernel.release.description
    var candidates = [
      image("/boot/initramfs-\(release).img", kernel), image("/boot/initrd.img-\(release)", kernel),
    ]
    if let base = kernel.packageBase {
      candidates.append(image("/boot/initramfs-\(base).img", kernel))
      candidates.append(image("/boot/initramfs-\(base)-fallback.img", kernel, preset: Self.fallback))
    }
    for directory in BootSystem.bootDirectories {
      for entry in Files.list(system.place(directory)) {
        candidates.append(image("\(directory)/\(entry)/\(release)/initrd", kernel))
      }
      let unified = "\(directory)/EFI/Linux"
      for name in Files.list(system.place(unified)) where name.hasSuffix(".efi") {
        guard name == "linux-\(release).efi" || name.hasPrefix("linux-\(release)-") else { continue }
        candidates.append(image("\(unified)/\(name)", kernel, form: .unifiedKernelImage))
      }
    }
    let present = candidates.filter { Files.isFile(FilePath($0.path)) }
    return present.isEmpty ? missing(kernel) : present
  }

  /// A kernel that lies in /boot without an image is to be booted with one.
  private func missing(_ kernel: BootableKernel) -> [InitramfsImage] {
    let names = [kernel.packageBase, kernel.kernel.release.description].compactMap { $0 }
    let name = names.first { Files.isFile(system.place("/boot/vmlinuz-\($0)")) }
    return name.map { [image("/boot/initramfs-\($0).img", kernel)] } ?? []
  }

  private func image(
    _ path: String, _ kernel: BootableKernel, form: InitramfsImage.Form = .archive, preset: String? = nil
  ) -> InitramfsImage {
    InitramfsImage(
      path: system.place(path).string, form: form, kernel: kernel.kernel, generator: kind, preset: preset)
  }

  // MARK: Configuration

  /// dracut.conf, then the drop-ins by name; of those with one name the administrator's counts.
  private var configurationFiles: [FilePath] {
    let main = system.place("/etc/dracut.conf")
    var byName: [String: FilePath] = [:]
    for directory in ["/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"].map(system.place) {
      for name in Files.list(directory) where name.hasSuffix(".conf") && byName[name] == nil {
        byName[name] = directory.appending(name)
      }
    }
    let dropIns = byName.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value)
    return ([main] + dropIns).filter(Files.isFile)
  }

  private func requests(in files: [FilePath]) async throws(GenerationError) -> [ModuleRequest] {
    let keys = ["add_drivers", "force_drivers", "drivers"]
    let lists = try await BashReader(host: system.host).lists(
      keys + ["omit_drivers", "no_kernel"], of: files, about: "the configuration of dracut")
    if lists["no_kernel"] == ["yes"] { return [] }
    let omitted = Set(lists["omit_drivers", default: []].map(\.asKernelModuleName))
    let requests = keys.flatMap { key in
      lists[key, default: []].filter { !$0.hasPrefix("=") && !$0.contains("/") }
        .map { ModuleRequest(module: $0.asKernelModuleName, place: "\(key) in dracut.conf") }
    }
    return requests.filter { !omitted.contains($0.module) }.firstOfEachModule
  }
}
