// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
internal import Inspection
package import JSON

/// What a helper decided.
package enum RecordedPlan: Codable, Hashable, Sendable {
  /// Changes of the trees.
  case modules(Plan)
  /// The modules whose sources are kept.
  case keep([ModuleID])
  /// What is done about images.
  case images(ImagePlan)
  /// What is said of each kernel.
  case verdicts([KernelVerdict])

  /// The plan as a record has it.
  package var json: JSON { JSON(encoding: self) }

  /// The plan for people, a line a thing, each with its reason.
  package var words: [String] {
    switch self {
    case .modules(let plan): plan.words
    case .keep(let modules): modules.map { "\($0): its source would be kept (it changes or goes)" }
    case .images(let plan): plan.entries.map(\.words)
    case .verdicts(let verdicts): verdicts.flatMap(\.words)
    }
  }

  /// The same with what became of each thing.
  package func words(_ outcomes: [Outcome]) -> [String] {
    let subjects: [String]
    switch self {
    case .modules(let plan): subjects = plan.steps.map(\.words)
    case .keep: subjects = words
    case .images(let plan): subjects = plan.generated.map(\.subject)
    case .verdicts: return words
    }
    let results = zip(subjects, outcomes).map { "\($0): \($1.words)" }
    switch self {
    case .modules(let plan): return results + plan.skips.map(\.words)
    case .images(let plan): return results + plan.kept.map(\.words)
    case .keep, .verdicts: return results
    }
  }
}

extension Outcome {
  fileprivate var words: String {
    switch self {
    case .done(let warnings): (["done"] + warnings).joined(separator: "; ")
    case .failed(let error): "failed: \(error)" + (error.remedy.map { " (\($0))" } ?? "")
    case .notTried: "not tried"
    }
  }
}

extension KernelVerdict {
  fileprivate var words: [String] {
    let standing =
      switch standing {
      case .asBefore: "bootable as before"
      case .degraded: "degraded"
      case .blocked: "blocked"
      }
    return ["\(kernel.release): \(standing)"]
      + findings.map { "\(kernel.release): \($0.subject): \($0.reason)" }
      + skips.map { "\(kernel.release): \($0.module): not for this kernel: \($0.reason)" }
  }
}
