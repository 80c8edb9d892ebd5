// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// What a generator would be called with, and what of its configuration says nothing.
public struct ImageRecipes: Hashable, Sendable {
  /// The runs.
  public private(set) var recipes: [ImageRecipe]
  /// The files that cannot be read, each once; the runs that need them are missing.
  public private(set) var problems: [GenerationError]

  /// Holds runs and problems.
  public init(_ recipes: [ImageRecipe] = [], problems: [GenerationError] = []) {
    self.recipes = recipes
    self.problems = problems
  }

  /// Adds a run.
  mutating func append(_ recipe: ImageRecipe) { recipes.append(recipe) }

  /// Adds a problem, unless it is known.
  mutating func append(_ problem: GenerationError) {
    if !problems.contains(problem) { problems.append(problem) }
  }

  /// The same with each run changed.
  func map(_ change: (ImageRecipe) -> ImageRecipe) -> ImageRecipes {
    ImageRecipes(recipes.map(change), problems: problems)
  }
}
