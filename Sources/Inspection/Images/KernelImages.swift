// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
package import Initramfs

/// What there is of the images that kernels boot with; looks only, and says nothing.
package struct KernelImages {
  /// The images of all the kernels, each with its modules and flaws.
  package let conditions: [ImageCondition]
  /// The runs that make those images that can be made anew.
  package let recipes: [ImageRecipe]
  /// The files that are the kernels.
  package let files: [KernelFile]
  /// The entries of boot loaders, whichever kernels they boot.
  package let entries: [BootEntry]
  /// The files that should be one of the kernels and are others.
  package let strays: [StrayKernel]
  /// Presets of the generator that make nothing.
  package let leftovers: [LeftoverPreset]
  /// What of the generator's configuration cannot be read; the images that it tells of are missing.
  package let problems: [GenerationError]

  /// Looks at the images that the system's generator makes for kernels; none where there is no generator, or
  /// where of several nobody knows which one makes them.
  ///
  /// - Throws: `HostError` where a kernel's directory cannot be looked at.
  package init(
    of kernels: [Kernel], _ snapshot: Snapshot, _ configuration: SuiteConfiguration,
    _ database: borrowing Database
  ) async throws(HostError) {
    let catalogue = try snapshot.kernels()
    var bootable: [BootableKernel] = []
    for kernel in kernels {
      bootable.append(BootableKernel(kernel, packageBase: try catalogue.packageBase(of: kernel.release)))
    }
    let host = snapshot.host
    let survey = ImageSurvey(BootSystem(snapshot))
    var conditions: [ImageCondition] = []
    var recipes = ImageRecipes()
    let choice = await GeneratorChoice(for: bootable, survey, configuration, database)
    if let chosen = choice.chosen { recipes = await survey.recipes(of: chosen, for: bootable) }
    let others = await survey.images(beside: recipes.recipes, installed: choice.installed, for: bootable)
    let runs = await survey.runs(recipes.recipes + others.recipes)
    conditions += runs.flatMap(\.conditions)
    conditions += others.orphans
    for problem in others.problems { recipes.append(problem) }
    let files = KernelFiles(BootSystem(snapshot)).strays(among: bootable, presets: recipes.presetKernels)
    strays = files.found
    self.files = files.files
    entries = others.entries
    self.recipes = runs.map(\.recipe)
    leftovers = recipes.leftovers
    for problem in files.problems { recipes.append(problem) }
    // Other users cannot judge what only root can read.
    problems = host.isRoot ? recipes.problems : recipes.problems.filter { !$0.isDenied }
    self.conditions = host.isRoot ? conditions : conditions.filter { !$0.isUnusable && !$0.isUnknown }
  }

  /// What makes each image that can be made anew, by the path of the image.
  package func commands(on system: BootSystem) -> [String: [String]] {
    var commands: [String: [String]] = [:]
    for recipe in recipes {
      let command = recipe.command(on: system)
      for image in recipe.images { commands[image.path] = command }
    }
    return commands
  }
}

extension ConfigurationProblem {
  /// What of a generator's configuration cannot be read.
  package init(_ error: GenerationError) {
    self.init(file: error.subject, line: nil, isError: true, text: error.reason)
  }
}

extension BootSystem {
  package init(_ snapshot: Snapshot) {
    let layout = snapshot.layout
    self.init(
      root: layout.root, installTree: layout.installTree, temporaryDirectory: layout.temporaryDirectory,
      imageState: layout.imageState, imageMemory: layout.imageMemory, host: snapshot.host)
  }
}

/// The generator whose images a system boots with.
package struct GeneratorChoice {
  /// The generators that packages have brought.
  package let installed: [ImageGenerator]
  /// The only one; of several the one whose images are there, else the one that is configured; nil where
  /// there is none, or where that cannot be told.
  package let chosen: ImageGenerator?

  /// Chooses.
  package init(
    for kernels: [BootableKernel], _ survey: ImageSurvey, _ configuration: SuiteConfiguration,
    _ database: borrowing Database
  ) async {
    installed = InstalledGenerators(database).kinds
    guard installed.count > 1 else {
      chosen = installed.first
      return
    }
    let inUse = await survey.generatorsInUse(among: installed, for: kernels)
    let configured = configuration.initramfsGenerator
    chosen = inUse.count == 1 ? inUse[0] : installed.first { $0 == configured }
  }
}
