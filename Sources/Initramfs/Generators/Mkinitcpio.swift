// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// mkinitcpio, as its presets call it.
struct Mkinitcpio: Generator {
  let kind = ImageGenerator.mkinitcpio
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes {
    let reader = PresetReader(system)
    var recipes = ImageRecipes()
    let files = recipes.answer { () throws(HostError) in try reader.files() } ?? []
    for file in files {
      // As with mkinitcpio -P, a preset that cannot be read keeps no other from being read.
      do throws(GenerationError) {
        for preset in try await reader.presets(in: file) {
          if let named = preset.values["kver"], named.hasPrefix("/") {
            recipes.presetKernels[preset.file, default: []].insert(system.place(named))
          }
          if let kernel = recipes.answer({ () throws(HostError) in try absentKernel(of: preset) }) ?? nil {
            recipes.leftovers.append(LeftoverPreset(file: file.string, kernelFile: kernel))
          } else {
            await add(preset, kernels, to: &recipes)
          }
        }
      } catch {
        recipes.append(error)
      }
    }
    return recipes
  }

  private func add(_ preset: Preset, _ kernels: [BootableKernel], to recipes: inout ImageRecipes) async {
    do throws(GenerationError) {
      if let recipe = try await recipe(of: preset, kernels) { recipes.append(recipe) }
    } catch {
      recipes.append(error)
    }
  }

  /// The file that a preset names as its kernel and that is not there, so that mkinitcpio refuses it.
  private func absentKernel(of preset: Preset) throws(HostError) -> String? {
    guard let named = preset.values["kver"], named.hasPrefix("/") else { return nil }
    let file = system.place(named)
    return try Files.size(file) == nil ? file.string : nil
  }

  /// What a preset is called with; nil where it makes no image of one of these kernels.
  private func recipe(
    of preset: Preset, _ kernels: [BootableKernel]
  ) async throws(GenerationError) -> ImageRecipe? {
    guard let named = preset.values["kver"] else { return nil }
    let settings = MkinitcpioSettings(preset)
    let configuration = MkinitcpioConfiguration(system)
    let kernel: BootableKernel
    let files: [FilePath]
    let followUp: ImageRecipe.FollowUp?
    do throws(HostError) {
      guard let owner = try self.kernel(named, of: preset, among: kernels) else { return nil }
      kernel = owner
      files = try configuration.files(settings)
      followUp =
        settings.forbidsPostHooks
        ? nil : try self.followUp(of: preset, settings, kernelNamed: named, kernel)
    } catch {
      throw GenerationError(error)
    }
    let images = images(of: preset, kernel)
    guard !images.isEmpty else { return nil }
    return ImageRecipe(
      images: images, options: options(of: preset, kernelNamed: named),
      environment: ["MKINITCPIO_PROCESS_PRESET": preset.fullName],
      requests: try await configuration.requests(settings, in: files),
      configurationFiles: files.map(\.string)
        + [system.place("/etc/mkinitcpio.d/\(preset.file).preset").string],
      followUp: followUp)
  }

  /// The images come first, as in a call that a preset makes, so that its own options have the last word.
  ///
  /// The post hooks would see the names under which the images are made; they are run when those are in
  /// place. If there is one more path than images, it is that of the archive that only goes into a unified
  /// kernel image.
  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String] {
    let images = zip(recipe.images, paths).flatMap { image, path in
      [image.form == .unifiedKernelImage ? "-U" : "-g", path]
    }
    let archive = paths.dropFirst(recipe.images.count).flatMap { ["-g", $0] }
    return images + archive + recipe.options + (knowsNoPost ? ["--nopost"] : [])
  }

  /// Whether it can be told to run no post hooks, as since version 40, whose script has the word `nopost`.
  private var knowsNoPost: Bool {
    guard let file = system.program(program), let text = try? Files.text(file), text.hasPrefix("#!") else {
      return true
    }
    return text.contains("nopost")
  }

  /// A call without a preset, as those of kernel-install and of administrators.
  func recipe(for image: InitramfsImage) async -> ImageRecipe? {
    let isFallback = FilePath(image.path).lastComponent?.string.contains("fallback") == true
    let own = Preset(
      file: "", name: "", values: [:], options: isFallback ? ["-S", "autodetect"] : [])
    let settings = MkinitcpioSettings(own)
    let configuration = MkinitcpioConfiguration(system)
    guard let files = try? configuration.files(settings),
      let requests = try? await configuration.requests(settings, in: files)
    else { return nil }
    return ImageRecipe(
      images: [image], options: ["-k", "\(image.kernel.release)"] + own.options, requests: requests,
      configurationFiles: files.map(\.string))
  }

  func complaints(
    in output: String, _ configuration: [FilePath]
  ) throws(HostError) -> [GenerationError] {
    try MkinitcpioComplaint.all(in: output).map { complaint throws(HostError) in
      try complaint.error(configuration)
    }
  }

  // MARK: Kernels

  /// The kernel that a preset names by its release or by a file; nil where that is none of these.
  private func kernel(
    _ named: String, of preset: Preset, among kernels: [BootableKernel]
  ) throws(HostError) -> BootableKernel? {
    guard named.hasPrefix("/") else { return kernels.first { $0.kernel.release.description == named } }
    let file = system.place(named)
    let owner = kernels.first { file.starts(with: system.modules(of: $0)) }
    if let owner { return owner }
    if let release = try KernelImage.release(in: file) {
      return kernels.first { $0.kernel.release.description == release }
    }
    // A kernel whose file does not tell, and that is called as Arch calls it.
    let name = file.lastComponent?.string ?? ""
    return kernels.first { kernel in kernel.packageBase.map { name == "vmlinuz-\($0)" } == true }
  }

  // MARK: Calls

  private func images(of preset: Preset, _ kernel: BootableKernel) -> [InitramfsImage] {
    let forms: [(key: String, form: InitramfsImage.Form)] = [
      ("image", .archive), ("uki", .unifiedKernelImage),
    ]
    return forms.compactMap { key, form in
      preset.values[key].map { path in
        InitramfsImage(
          path: system.place(path).string, form: form, kernel: kernel.kernel, generator: kind,
          preset: "\(preset.file)/\(preset.name)")
      }
    }
  }

  private func options(of preset: Preset, kernelNamed name: String) -> [String] {
    var options = ["-k", name]
    for (key, option) in [("config", "-c"), ("cmdline", "--cmdline"), ("splash", "--splash")] {
      if let value = preset.values[key] { options += [option, value] }
    }
    return options + preset.options
  }

  private func followUp(
    of preset: Preset, _ settings: MkinitcpioSettings, kernelNamed name: String, _ kernel: BootableKernel
  ) throws(HostError) -> ImageRecipe.FollowUp {
    let directories =
      settings.hookDirectories.isEmpty
      ? ["/etc/initcpio/post", "/usr/lib/initcpio/post"].map { system.place($0).string }
      : settings.hookDirectories.map { system.place("\($0)/post").string }
    let ownImage = system.modules(of: kernel).appending("vmlinuz")
    let usual = "/boot/vmlinuz-\(kernel.packageBase ?? kernel.kernel.release.description)"
    let image = name.hasPrefix("/") ? name : try Files.isFile(ownImage) ? ownImage.string : ""
    let destination = name.hasPrefix("/") ? name : image.isEmpty ? "" : usual
    var environment = ["MKINITCPIO_PROCESS_PRESET": preset.fullName]
    environment["MKINITCPIO_KERNELDEST"] = preset.values["kerneldest"]
    return ImageRecipe.FollowUp(
      directories: directories, kernelImage: image,
      kernelDestination: preset.values["kerneldest"] ?? destination, environment: environment)
  }
}
