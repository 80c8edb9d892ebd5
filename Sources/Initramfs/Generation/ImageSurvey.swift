// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// Looks at the images of kernels, and at what would be run to make them.
public struct ImageSurvey: Sendable {
  private let system: BootSystem
  private let inspector: ImageInspector

  /// Looks at a system.
  public init(_ system: BootSystem) {
    self.system = system
    inspector = ImageInspector(host: system.host, temporaryDirectory: system.temporaryDirectory)
  }

  /// The generators that have made images of these kernels which are there.
  public func generatorsInUse(
    among installed: [ImageGenerator], for kernels: [BootableKernel]
  ) async -> [ImageGenerator] {
    var inUse: [ImageGenerator] = []
    for kind in installed {
      let recipes = await kind.generator(on: system).recipes(for: kernels).recipes
      let isUsed = recipes.flatMap(\.images).contains { Files.isFile(FilePath($0.path)) }
      if isUsed { inUse.append(kind) }
    }
    return inUse
  }

  /// What a generator would be called with for kernels.
  ///
  /// Of the modules that its configuration names those remain that do not come with the kernel: what a hook does
  /// with the others the kernel's own image has shown.
  public func recipes(
    of kind: ImageGenerator, for kernels: [BootableKernel]
  ) async -> ImageRecipes {
    let foreign = kernels.reduce(into: [:]) { $0[$1.kernel] = foreignModules(of: $1) }
    return await kind.generator(on: system).recipes(for: kernels).map { recipe in
      var recipe = recipe
      let names = foreign[recipe.kernel] ?? []
      recipe.requests.removeAll { !names.contains($0.module) }
      return recipe
    }
  }

  /// What there is of the images of a run.
  public func run(_ recipe: ImageRecipe) async -> ImageFacts.Run {
    var conditions: [ImageCondition] = []
    for image in recipe.images { conditions.append(await condition(of: image, recipe)) }
    return ImageFacts.Run(recipe: recipe, conditions: conditions)
  }

  func condition(of image: InitramfsImage, _ recipe: ImageRecipe) async -> ImageCondition {
    let kernel = BootableKernel(recipe.kernel, packageBase: nil)
    return await inspector.condition(
      of: image, modulesDirectory: system.modules(of: kernel),
      requested: recipe.requests)
  }

  private func foreignModules(of kernel: BootableKernel) -> Set<String> {
    let places = ["updates", "extra", "extramodules"].map { system.modules(of: kernel).appending($0) }
    return places.reduce(into: []) { $0.formUnion(modules(below: $1)) }
  }

  private func modules(below directory: FilePath) -> [String] {
    Files.list(directory).flatMap { name -> [String] in
      let path = directory.appending(name)
      if Files.kind(path) == .directory { return modules(below: path) }
      guard let end = name.range(ofExtension: ".ko") else { return [] }
      return [name[..<end].asKernelModuleName]
    }
  }
}

extension String {
  /// Where `.ko`, perhaps with the ending of a compression after it, begins.
  fileprivate func range(ofExtension ending: String) -> String.Index? {
    for suffix in ["", ".gz", ".xz", ".zst"] where hasSuffix(ending + suffix) {
      return index(endIndex, offsetBy: -(ending + suffix).count)
    }
    return nil
  }
}
