// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// Looks at the images of kernels, and at what would be run to make them.
public struct ImageSurvey: Sendable {
  private let system: BootSystem
  private let inspector: ImageInspector
  private let secureBoot: Result<SecureBoot, GenerationError>

  /// Looks at a system.
  public init(_ system: BootSystem) {
    self.system = system
    do { secureBoot = .success(try SecureBoot(system)) } catch { secureBoot = .failure(error) }
    inspector = ImageInspector(
      host: system.host, temporaryDirectory: system.temporaryDirectory,
      memory: ImageMemory(directory: system.imageMemory))
  }

  /// The generators that have made images of these kernels which are there, or may have: a look failed.
  public func generatorsInUse(
    among installed: [ImageGenerator], for kernels: [BootableKernel]
  ) async -> [ImageGenerator] {
    var inUse: [ImageGenerator] = []
    for kind in installed {
      var found = await kind.generator(on: system).recipes(for: kernels)
      let paths = found.recipes.flatMap(\.images).map { FilePath($0.path) }
      let isUsed = found.answer { () throws(HostError) in try paths.hasAny(Files.isFile) } == true
      if isUsed || !found.problems.isEmpty { inUse.append(kind) }
    }
    return inUse
  }

  /// What a generator would be called with for kernels.
  ///
  /// Of the modules that its configuration names, only those are kept that do not come with the kernel: what
  /// the generator does with the others was seen in the kernel's first image. If it is not known which ones
  /// come with the kernel, that is a problem, and the runs for the kernel are missing.
  public func recipes(
    of kind: ImageGenerator, for kernels: [BootableKernel]
  ) async -> ImageRecipes {
    let all = await kind.generator(on: system).recipes(for: kernels)
    var recipes = ImageRecipes(problems: all.problems)
    recipes.leftovers = all.leftovers
    recipes.presetKernels = all.presetKernels
    var outOfTree: [Kernel: Set<String>] = [:]
    for kernel in kernels {
      outOfTree[kernel.kernel] = recipes.answer { () throws(HostError) in try outOfTreeModules(of: kernel) }
    }
    for var recipe in all.recipes {
      guard let names = outOfTree[recipe.kernel] else { continue }
      recipe.requests.removeAll { !names.contains($0.module) }
      recipes.append(recipe)
    }
    return recipes
  }

  /// The images that kernels are booted with beside those of some runs.
  public func images(
    beside recipes: [ImageRecipe], installed: [ImageGenerator], for kernels: [BootableKernel]
  ) async -> FoundImages {
    await FoundImages(on: system, beside: recipes, installed: installed, for: kernels, self)
  }

  /// What there is of an image that nobody makes.
  func condition(of image: InitramfsImage) async -> ImageCondition {
    let kernel = BootableKernel(image.kernel, packageBase: nil)
    let condition = await inspector.condition(of: image, modulesDirectory: system.modules(of: kernel))
    return withSignature(condition)
  }

  /// What there is of the images of runs, in their order; they are looked into side by side, one on each
  /// processor.
  public func runs(_ recipes: [ImageRecipe]) async -> [ImageFacts.Run] {
    await withTaskGroup(of: (Int, ImageFacts.Run).self) { group in
      var runs = [ImageFacts.Run?](repeating: nil, count: recipes.count)
      for (index, recipe) in recipes.enumerated() {
        if index >= max(1, system.host.processorCount), let (done, run) = await group.next() {
          runs[done] = run
        }
        group.addTask { (index, await run(recipe)) }
      }
      for await (done, run) in group { runs[done] = run }
      return runs.compactMap(\.self)
    }
  }

  /// What is in a file that may be an image.
  ///
  /// - Throws: `ImageError` where it cannot be read, or is no image.
  func contents(of image: FilePath, form: InitramfsImage.Form) async throws(ImageError) -> ImageContents {
    try await inspector.contents(of: image, form: form)
  }

  /// What there is of the images of a run, and how they are made anew as they were made.
  public func run(_ recipe: ImageRecipe) async -> ImageFacts.Run {
    var run = ImageFacts.Run(recipe: recipe, conditions: [])
    for image in recipe.images {
      let inspection = await inspection(of: image, recipe)
      run.conditions.append(withSignature(inspection.condition))
      if let parameters = inspection.buildParameters {
        run.recipe = recipe.generator.generator(on: system).recipe(recipe, keeping: parameters)
      }
    }
    let unified = recipe.images.filter { $0.form == .unifiedKernelImage }.map { FilePath($0.path) }
    for path in unified { run.recipe.signer = run.recipe.signer ?? (try? secureBoot.get().signer(of: path)) }
    return run
  }

  /// What there is of an image, with what is wrong with its signature.
  private func withSignature(_ condition: ImageCondition) -> ImageCondition {
    guard condition.image.form == .unifiedKernelImage, !condition.isUnusable, !condition.isUnknown else {
      return condition
    }
    let path = FilePath(condition.image.path)
    var condition = condition
    do {
      let wasSigned = try Files.exists(ImageSigning.note(on: path, in: system.imageState))
      let flaw = try secureBoot.get().flaw(of: path, wasSigned: wasSigned)
      condition.flaws += flaw.map { [$0] } ?? []
    } catch {
      condition.flaws = [.unknown(reason: "\((error as? ImageError)?.reason ?? "\(error)")")]
    }
    return condition
  }

  func condition(of image: InitramfsImage, _ recipe: ImageRecipe) async -> ImageCondition {
    await inspection(of: image, recipe).condition
  }

  private func inspection(of image: InitramfsImage, _ recipe: ImageRecipe) async -> ImageInspection {
    let generator = recipe.generator.generator(on: system)
    let kernel = BootableKernel(recipe.kernel, packageBase: nil)
    return await inspector.inspection(of: image, modulesDirectory: system.modules(of: kernel)) {
      $0.map { generator.recipe(recipe, keeping: $0).requests } ?? recipe.requests
    }
  }

  private func outOfTreeModules(of kernel: BootableKernel) throws(HostError) -> Set<String> {
    let places = ["updates", "extra", "extramodules"].map { system.modules(of: kernel).appending($0) }
    return Set(try places.collect { place throws(HostError) in try modules(below: place) })
  }

  private func modules(below directory: FilePath) throws(HostError) -> [String] {
    try Files.listing(directory).collect { name, kind throws(HostError) -> [String] in
      if kind == .directory { return try modules(below: directory.appending(name)) }
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
