// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// A program that makes images, and what its configuration says about them.
public protocol Generator: Sendable {
  /// Takes it as it is set up on a system.
  init(_ system: BootSystem)

  /// Which one it is.
  var kind: ImageGenerator { get }

  /// Whether it can write images to other paths than their own; one that cannot has what it replaces kept meanwhile.
  var writesElsewhere: Bool { get }

  /// The images that belong to kernels, and how each is made.
  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes

  /// The run that makes an image that no configuration names; nil where there is none, or it cannot be told.
  func recipe(for image: InitramfsImage) async -> ImageRecipe?

  /// The run that makes an image as it was made, with the arguments that were noted in it.
  func recipe(_ recipe: ImageRecipe, keeping parameters: String) -> ImageRecipe

  /// What it missed when it made an image that may be good all the same, as it said, and what is to be done.
  ///
  /// None where it said nothing of the kind: then it failed.
  ///
  /// - Throws: `HostError` where a file of the configuration cannot be read.
  func complaints(in output: String, _ configuration: [FilePath]) throws(HostError) -> [GenerationError]

  /// What it is called with to write these images of a recipe, in their order, to other paths.
  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String]
}

extension Generator {
  /// The name of its program.
  public var program: String { kind.rawValue }

  /// Most generators write where they are told to.
  public var writesElsewhere: Bool { true }

  /// Most generators leave nothing out without saying that they failed, so there are no complaints to find.
  public func complaints(
    in output: String, _ configuration: [FilePath]
  ) throws(HostError) -> [GenerationError] { [] }

  /// Most generators take everything from their configuration.
  public func recipe(_ recipe: ImageRecipe, keeping parameters: String) -> ImageRecipe { recipe }
}

/// A generator that puts modules into images otherwise than they are installed.
protocol StrippingGenerator: Generator {
  /// What it does to modules.
  static var stripping: ModuleStripping { get }
}

extension ImageGenerator {
  /// The generator on a system.
  public func generator(on system: BootSystem) -> any Generator { type.init(system) }

  /// How it changes modules on their way into an image; nil where it puts them in as they are.
  var stripping: ModuleStripping? { (type as? any StrippingGenerator.Type)?.stripping }

  private var type: any Generator.Type {
    switch self {
    case .mkinitcpio: Mkinitcpio.self
    case .dracut: Dracut.self
    case .booster: Booster.self
    case .kernelInstall: KernelInstall.self
    }
  }
}

/// A preset of mkinitcpio whose kernel is not there, so that it makes nothing.
public struct LeftoverPreset: Hashable, Sendable {
  /// The file with the preset.
  public let file: String
  /// The kernel that it names.
  public let kernelFile: String
}

/// How a generator would be called, and which parts of its configuration cannot be read.
public struct ImageRecipes: Hashable, Sendable {
  /// The runs.
  public private(set) var recipes: [ImageRecipe]
  /// The files that cannot be read, each once; the runs that need them are missing.
  public private(set) var problems: [GenerationError]
  /// The files that presets name as their kernels, each with the name of its preset file.
  public internal(set) var presetKernels: [String: Set<FilePath>] = [:]
  /// Presets that make nothing.
  public internal(set) var leftovers: [LeftoverPreset] = []

  /// Holds runs and problems.
  public init(_ recipes: [ImageRecipe] = [], problems: [GenerationError] = []) {
    self.recipes = recipes
    self.problems = problems
  }

  /// Adds a run.
  public mutating func append(_ recipe: ImageRecipe) { recipes.append(recipe) }

  /// Adds a problem, unless it is known.
  public mutating func append(_ problem: GenerationError) {
    if !problems.contains(problem) { problems.append(problem) }
  }

  /// The answer to a look at the disk; nil where it failed, which is a problem then.
  mutating func answer<Value>(_ look: () throws(HostError) -> Value) -> Value? {
    do { return try look() } catch {
      append(GenerationError(error))
      return nil
    }
  }
}
