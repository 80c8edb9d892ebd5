// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
package import Host

extension Verification {
  /// Prints the verdicts in pacman's style, one line for each kernel, the worst last.
  ///
  /// Nothing is printed if all is well and no module is registered.
  package func say(on console: Console, verbosely: Bool = false) {
    for problem in problems {
      console.printError("==> \(problem.isError ? "ERROR" : "WARNING"): \(problem)")
    }
    guard hasModules || !isWell else { return }
    for verdict in verdicts where verdict.standing == .asBefore {
      console.print("==> \(verdict.subject): bootable as before")
      for line in verdict.details(verbosely) { console.print(line) }
    }
    for verdict in verdicts where verdict.standing == .degraded {
      console.printError("==> WARNING: \(verdict.subject): degraded, not every module is as it should be")
      for line in verdict.details(verbosely) { console.printError(line) }
    }
    for verdict in verdicts where verdict.standing == .unknown {
      console.printError("==> ERROR: \(verdict.subject): unknown, it could not be looked at")
      for line in verdict.details(verbosely) { console.printError(line) }
    }
    for verdict in verdicts where verdict.standing == .blocked {
      console.printError("==> ERROR: \(verdict.subject): blocked, do not boot it before this is fixed")
      for line in verdict.details(verbosely) { console.printError(line) }
    }
  }
}

extension KernelVerdict {
  fileprivate var subject: String { isRunning ? "\(kernel.release) (running)" : "\(kernel.release)" }

  fileprivate func details(_ verbosely: Bool) -> [String] {
    let skipLines = skips.map { "  -> \($0.module): not for this kernel: \($0.reason)" }
    return findings.map(\.line) + (verbosely ? skipLines : [])
  }
}

extension Finding {
  fileprivate var line: String {
    let mark =
      switch weight {
      case .critical: "\(subject) (critical)"
      case .normal: subject
      case .optional: "\(subject) (optional)"
      }
    let parts = ["\(mark): \(reason)", log.map { "the log is \($0)" }, remedy.map { "to fix it: \($0)" }]
    return "  -> " + parts.compactMap { $0 }.joined(separator: "; ")
  }
}
