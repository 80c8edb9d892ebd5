// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Images that kernels are booted with and that no generator's configuration names.
public struct FoundImages: Hashable, Sendable {
  /// The runs that make them anew, by the generators that have left their marks in them.
  public private(set) var recipes: [ImageRecipe] = []
  /// Those that nothing here can make anew, with what there is of each.
  public private(set) var orphans: [ImageCondition] = []
  /// The entries of boot loaders, whichever kernels they boot.
  public private(set) var entries: [BootEntry] = []
  /// The looks that failed.
  public private(set) var problems: [GenerationError] = []

  /// Whether anything on a system may be an image; a look that failed has not shown that nothing is.
  public static func areAny(on system: BootSystem) -> Bool {
    (try? BootLoaderFiles(system).images.isEmpty) != true
  }

  /// Looks for them.
  ///
  /// - Parameters:
  ///   - system: The system.
  ///   - recipes: The runs that are known; their images are not looked for.
  ///   - installed: The generators that can be run.
  ///   - kernels: The kernels.
  ///   - survey: What looks into images.
  init(
    on system: BootSystem, beside recipes: [ImageRecipe], installed: [ImageGenerator],
    for kernels: [BootableKernel], _ survey: ImageSurvey
  ) async {
    let files: BootLoaderFiles
    let known: Set<FilePath>
    do throws(HostError) {
      files = try BootLoaderFiles(system)
      let paths = recipes.flatMap(\.images).map { FilePath($0.path) }
      known = Set(try paths.collect { path throws(HostError) in [try Files.resolved(path) ?? path] })
    } catch {
      problems.append(GenerationError(error))
      return
    }
    entries = files.entries
    for file in files.images where !known.contains((try? Files.resolved(file)) ?? file) {
      await add(file, on: system, installed, kernels, survey)
    }
  }

  private mutating func add(
    _ file: FilePath, on system: BootSystem, _ installed: [ImageGenerator], _ kernels: [BootableKernel],
    _ survey: ImageSurvey
  ) async {
    let form: InitramfsImage.Form =
      file.string.lowercased().hasSuffix(".efi") ? .unifiedKernelImage : .archive
    let contents: ImageContents
    do throws(ImageError) { contents = try await survey.contents(of: file, form: form) } catch {
      // Boot loaders and other systems' kernels are no images.
      guard error.isFailedLook, let kernel = Self.kernel(ofPath: file, kernels) else { return }
      let image = InitramfsImage(path: file.string, form: form, kernel: kernel.kernel, generator: nil)
      orphans.append(ImageCondition(image: image, flaws: [.unknown(reason: error.reason)]))
      return
    }
    guard let kernel = Self.kernel(of: contents, at: file, kernels, system) else { return }
    var image = InitramfsImage(
      path: file.string, form: form, kernel: kernel.kernel, generator: contents.maker)
    if let maker = contents.maker, installed.contains(maker),
      let recipe = await maker.generator(on: system).recipe(for: image)
    {
      recipes.append(recipe)
      return
    }
    if let recipe = await KernelInstall(system).recipe(for: image) {
      recipes.append(recipe)
      return
    }
    var condition = await survey.condition(of: image)
    image.generator = nil
    condition.image = image
    orphans.append(condition)
  }

  /// The kernel that an image is for, as it tells itself, or else its path.
  private static func kernel(
    of contents: ImageContents, at file: FilePath, _ kernels: [BootableKernel], _ system: BootSystem
  ) -> BootableKernel? {
    let told = contents.release.map { [$0] } ?? Array(Set(contents.modules.compactMap(\.release)))
    if let kernel = kernels.first(where: { told.contains($0.kernel.release.description) }) { return kernel }
    // An image of a kernel that is gone counts as one of the kernel that has taken its name.
    let isForAnother = told.contains { (try? system.hasModules(of: $0)) != false }
    return isForAnother ? nil : kernel(ofPath: file, kernels)
  }

  private static func kernel(ofPath file: FilePath, _ kernels: [BootableKernel]) -> BootableKernel? {
    let parts = file.components.map(\.string)
    return kernels.first { kernel in
      let names = [kernel.kernel.release.description, kernel.packageBase].compactMap { $0 }
      return names.contains { name in
        parts.contains(name) || ["-\(name)", "_\(name)"].contains { file.stem?.hasSuffix($0) == true }
      }
    }
  }
}
