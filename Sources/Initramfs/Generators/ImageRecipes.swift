// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host

/// How a generator would be called, and which parts of its configuration cannot be read.
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

  /// The answer to a look at the disk; nil where it failed, which is a problem then.
  mutating func answer<Value>(_ look: () throws(HostError) -> Value) -> Value? {
    do { return try look() } catch {
      append(GenerationError(error))
      return nil
    }
  }
}
