// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
package import Inspection

/// Runs last after a transaction: says of each kernel whether its modules and images are as they should be.
///
/// It trusts no report of what was done before, only what is on the disk. The targets only tell that there is a reason
/// to look.
package struct VerifyHook: Hook {
  package static let kind = HelperKind.verify

  private let layout: Layout
  private let host: Host

  package init(_ call: HookCall, layout: Layout, host: Host) {
    self.layout = layout
    self.host = host
  }

  package func look() async throws(DKMSError) -> ConditionFacts {
    try await Verification(layout: layout, host: host, database: Database(root: layout.root)).facts
  }

  package static func plan(_ facts: ConditionFacts) -> VerdictPlan { VerdictPlan(verdicts: facts.verdicts) }

  package func carryOut(_ plan: VerdictPlan, from facts: ConditionFacts) -> HookEnding {
    let verification = Verification(facts)
    verification.say(on: host.console)
    if verification.standing != .fine { Self.sayWhatElseHelps(on: host.console) }
    return HookEnding(isWell: verification.isWell)
  }

  /// Says which commands tell more, once for the whole transaction: this is its last hook.
  private static func sayWhatElseHelps(on console: Console) {
    for (aim, command) in [
      ("to look for more that is wrong", "alpm-dkms doctor"), ("to report it", "alpm-dkms record --bundle"),
    ] {
      console.print("  -> \(aim):")
      console.printCommand(command, to: .output)
    }
  }
}

/// The verdict on each kernel.
package struct VerdictPlan: HookPlan {
  /// One verdict for each kernel.
  package let verdicts: [KernelVerdict]
}

// MARK: Words

extension ConditionFacts: HookFacts {
  package var words: [String] {
    conditions.map { "kernel \($0.kernel.release), \($0.modules.count.counted("module"))" }
  }
}

extension VerdictPlan {
  package var words: [String] { verdicts.flatMap(\.words) }

  package func words(_ outcomes: [Outcome]) -> [String] { words }

  package func summary(_ outcomes: [Outcome]?) -> String {
    let others = verdicts.filter { $0.standing != .fine }.map {
      "\($0.kernel.release) \($0.standing.rawValue)"
    }
    return others.isEmpty
      ? "\(verdicts.count.counted("kernel")) fine" : others.joined(separator: ", ")
  }
}

extension KernelVerdict {
  fileprivate var words: [String] {
    let standing =
      switch standing {
      case .fine: summary
      case .degraded: "degraded"
      case .unknown: "unknown"
      case .blocked: "blocked"
      }
    return ["\(kernel.release): \(standing)"]
      + findings.map { "\(kernel.release): \($0.subject): \($0.reason)" }
      + skips.map { "\(kernel.release): \($0.module): not for this kernel: \($0.reason)" }
  }
}
