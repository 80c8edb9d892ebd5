// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// kernel-install, for images that one of its plugins makes and that nothing else here can make.
struct KernelInstall: Generator {
  let kind = ImageGenerator.kernelInstall
  let writesElsewhere = false
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  /// No configuration names its images: they are found.
  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes { ImageRecipes() }

  func recipe(for image: InitramfsImage) async -> ImageRecipe? {
    let kernel = system.modules(of: BootableKernel(image.kernel, packageBase: nil)).appending("vmlinuz")
    guard system.program(program) != nil, (try? Files.isFile(kernel)) == true, (try? isOwn(image)) == true,
      let plugins = try? plugins(), !plugins.isEmpty
    else { return nil }
    var image = image
    // The generator that has left its marks in it may strip modules, though kernel-install called it.
    image.generator = image.generator ?? kind
    return ImageRecipe(
      images: [image], generator: kind, options: ["add", "\(image.kernel.release)", kernel.string],
      configurationFiles: plugins.map(\.string))
  }

  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String] { recipe.options }

  // MARK: Layouts

  /// Whether an image lies where kernel-install puts those of its kernel, and belongs to an entry of it.
  private func isOwn(_ image: InitramfsImage) throws(HostError) -> Bool {
    let release = image.kernel.release.description
    return try BootSystem.bootDirectories.map(system.place).hasAny { directory throws(HostError) in
      var inside = FilePath(image.path)
      guard inside.removePrefix(directory) else { return false }
      let parts = inside.components.map(\.string)
      if image.form == .unifiedKernelImage {
        guard parts.count == 3, parts[..<2] == ["EFI", "Linux"], parts[2].hasSuffix("-\(release).efi") else {
          return false
        }
        return try makesUnifiedKernelImages()
      }
      guard parts.count == 3, parts[1] == release else { return false }
      let entries = try Files.list(directory.appending("loader").appending("entries"))
      // Boot counting puts numbers behind the release.
      return entries.contains { name in
        name == "\(parts[0])-\(release).conf" || name.hasPrefix("\(parts[0])-\(release)+")
      }
    }
  }

  /// Whether unified kernel images are its layout, and no boot counting changes their names.
  private func makesUnifiedKernelImages() throws(HostError) -> Bool {
    let files = ["/etc/kernel/install.conf", "/usr/lib/kernel/install.conf"].map(system.place)
    guard let file = try files.firstWhere(Files.isFile), let text = try Files.text(file) else { return false }
    let isLayout = text.split(separator: "\n").contains { line in
      line.filter { !" \t\"'".contains($0) } == "layout=uki"
    }
    guard isLayout else { return false }
    return try !Files.exists(system.place("/etc/kernel/tries"))
  }

  /// Plugins that come with systemd, sbctl and kernels; none of them makes an initramfs.
  private static let otherPlugins: Set<String> = [
    "00-entry-directory.install", "50-depmod.install", "60-ukify.install", "85-initrd.install",
    "90-loaderentry.install", "90-uki-copy.install", "91-sbctl.install",
  ]

  /// The plugins that may make an initramfs; of those with one name the administrator's counts.
  private func plugins() throws(HostError) -> [FilePath] {
    var byName: [String: FilePath] = [:]
    for directory in ["/etc/kernel/install.d", "/usr/lib/kernel/install.d"].map(system.place) {
      for name in try Files.list(directory) where name.hasSuffix(".install") && byName[name] == nil {
        byName[name] = directory.appending(name)
      }
    }
    let others = byName.filter { !Self.otherPlugins.contains($0.key) }.sorted { $0.key < $1.key }
    return try others.map(\.value).where(Files.isExecutable)
  }
}
