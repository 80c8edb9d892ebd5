// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Initramfs

/// The facts that decide which images are made.
package struct RoundFacts: HookFacts {
  /// The images, and what there is of them.
  package var images: ImageFacts
  /// The generators that are installed.
  package var installed: [ImageGenerator] = []
  /// The one whose images the system boots with; nil if there is none, or if that is not clear.
  package var chosen: ImageGenerator?
  /// The one that the hook file is for; nil for whichever there is.
  package var requested: ImageGenerator?
  /// What of the generator's configuration cannot be read.
  package var problems: [GenerationError] = []
}

// MARK: Words

extension RoundFacts {
  package var words: [String] {
    images.runs.flatMap(\.conditions).map { "image \($0.image.path): \($0.words)" }
      + problems.map { "error: \($0)" }
  }
}

extension ImagePlan: HookPlan {
  package var words: [String] { entries.map(\.words) }

  package func words(_ outcomes: [Outcome]) -> [String] {
    zip(generated.map(\.subject), outcomes).map { "\($0): \($1.words)" } + kept.map(\.words)
  }

  package func summary(_ outcomes: [Outcome]?) -> String {
    let outcomes = outcomes ?? []
    let parts = [
      (outcomes.count(where: \.isDone), "made"), (outcomes.count { $0.failure != nil }, "failed"),
      (generated.count - outcomes.count { $0 != .notTried }, "not made"), (kept.count, "kept"),
    ]
    return parts.inWords ?? "no image"
  }
}
