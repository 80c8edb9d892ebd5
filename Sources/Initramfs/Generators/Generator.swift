// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// A program that makes images, and what its configuration says about them.
public protocol Generator: Sendable {
  /// Which one it is.
  var kind: ImageGenerator { get }

  /// The images that belong to kernels, and how each is made.
  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes

  /// What it is called with to write these images of a recipe, in their order, to other paths.
  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String]
}

extension Generator {
  /// The name of its program.
  public var program: String { kind.rawValue }
}

extension ImageGenerator {
  /// The generator on a system.
  public func generator(on system: BootSystem) -> any Generator {
    switch self {
    case .mkinitcpio: Mkinitcpio(system)
    case .dracut: Dracut(system)
    case .booster: Booster(system)
    }
  }
}
