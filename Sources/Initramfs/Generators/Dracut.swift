// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// dracut, with the names that Arch's hooks, `kernel-install`, Debian and dracut itself give to images.
struct Dracut: StrippingGenerator {
  let kind = ImageGenerator.dracut
  static let stripping = ModuleStripping(
    calls: [["eu-strip", "-g", "-p"], ["strip", "-g", "-p"], ["eu-strip", "-p"], ["strip", "-p"]],
    leavesSignedModules: true)
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes {
    var recipes = ImageRecipes()
    let found = kernels.map { ($0, images(of: $0, &recipes)) }
    guard found.contains(where: { !$0.1.isEmpty }) else { return recipes }
    guard let files = recipes.answer({ () throws(HostError) in try configurationFiles() }) else {
      return recipes
    }
    do throws(GenerationError) {
      let requests = try await requests(in: files)
      for (kernel, images) in found {
        for image in images {
          recipes.append(
            ImageRecipe(
              images: [image],
              options: ["--force"] + options(for: image) + ["--kver", "\(kernel.kernel.release)"],
              requests: requests, configurationFiles: files.map(\.string)))
        }
      }
    } catch {
      recipes.append(error)
    }
    return recipes
  }

  func recipe(for image: InitramfsImage) async -> ImageRecipe? {
    guard let files = try? configurationFiles(), let requests = try? await requests(in: files) else {
      return nil
    }
    return ImageRecipe(
      images: [image], options: ["--force"] + options(for: image) + ["--kver", "\(image.kernel.release)"],
      requests: requests, configurationFiles: files.map(\.string))
  }

  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String] { recipe.options + paths }

  private func options(for image: InitramfsImage) -> [String] {
    formOptions(image) + (image.preset == Self.fallback ? ["--no-hostonly"] : [])
  }

  /// The configuration has one form for all images, which may be the other one.
  private func formOptions(_ image: InitramfsImage) -> [String] {
    [image.form == .unifiedKernelImage ? "--uefi" : "--no-uefi"]
  }

  func recipe(_ recipe: ImageRecipe, keeping parameters: String) -> ImageRecipe {
    guard let noted = DracutArguments(parameters) else { return recipe }
    var recipe = recipe
    // The kernel's own file may have moved since; dracut finds it then.
    let arguments = noted.forAnother.filter { option in
      guard option[0] == "--kernel-image", let path = option.last else { return true }
      return (try? Files.isFile(FilePath(path))) != false
    }
    recipe.options =
      ["--force"] + formOptions(recipe.images[0]) + arguments.flatMap(\.self)
      + ["--kver", "\(recipe.kernel.release)"]
    recipe.requests = noted.requests(beside: recipe.requests)
    return recipe
  }

  private static let fallback = "fallback"

  // MARK: Images

  /// The images of a kernel that are there, or the one that it should have; looks that fail are problems.
  private func images(of kernel: BootableKernel, _ recipes: inout ImageRecipes) -> [InitramfsImage] {
    var isWhole = true
    func answer<Value>(_ look: () throws(HostError) -> Value) -> Value? {
      let answer = recipes.answer(look)
      if answer == nil { isWhole = false }
      return answer
    }
    func listing(_ directory: String) -> [(name: String, kind: Files.Kind)] {
      answer { () throws(HostError) in try Files.listing(system.place(directory)) } ?? []
    }
    let release = kernel.kernel.release.description
    var candidates = [
      image("/boot/initramfs-\(release).img", kernel), image("/boot/initrd.img-\(release)", kernel),
    ]
    if let base = kernel.packageBase {
      candidates.append(image("/boot/initramfs-\(base).img", kernel))
      candidates.append(image("/boot/initramfs-\(base)-fallback.img", kernel, preset: Self.fallback))
    }
    for directory in BootSystem.bootDirectories {
      for (entry, kind) in listing(directory) where kind == .directory || kind == .link {
        candidates.append(image("\(directory)/\(entry)/\(release)/initrd", kernel))
      }
      let unified = "\(directory)/EFI/Linux"
      for (name, _) in listing(unified) where name.hasSuffix(".efi") {
        guard name == "linux-\(release).efi" || name.hasPrefix("linux-\(release)-") else { continue }
        candidates.append(image("\(unified)/\(name)", kernel, form: .unifiedKernelImage))
      }
    }
    let present = candidates.filter { image in
      answer { () throws(HostError) in try Files.isFile(FilePath(image.path)) } == true
    }
    // If not everything could be seen, it is not known whether an image is missing.
    guard present.isEmpty, isWhole else { return present }
    return answer { () throws(HostError) in try missing(kernel) } ?? []
  }

  /// A kernel that lies in /boot without an image is to be booted with one, if the system's own hooks make it.
  private func missing(_ kernel: BootableKernel) throws(HostError) -> [InitramfsImage] {
    guard try GeneratorHooks(of: program, on: system).wouldMake(imagesNamed: "initramfs-") else { return [] }
    let names = [kernel.packageBase, kernel.kernel.release.description].compactMap { $0 }
    let name = try names.firstWhere { name throws(HostError) in
      try Files.isFile(system.place("/boot/vmlinuz-\(name)"))
    }
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
  private func configurationFiles() throws(HostError) -> [FilePath] {
    let main = system.place("/etc/dracut.conf")
    var byName: [String: FilePath] = [:]
    for directory in ["/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"].map(system.place) {
      for name in try Files.list(directory) where name.hasSuffix(".conf") && byName[name] == nil {
        byName[name] = directory.appending(name)
      }
    }
    let dropIns = byName.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value)
    return try ([main] + dropIns).where { file throws(HostError) in try Files.size(file) != nil }
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
