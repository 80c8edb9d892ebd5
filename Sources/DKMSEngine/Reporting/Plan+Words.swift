// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Plan {
  /// The plan for people: one line for each step with its reason, then one for each thing that is left out.
  public var words: [String] { steps.map(\.words) + skips.map(\.words) }
}

extension PlannedStep {
  /// What it would do, and why.
  public var words: String { "\(change) (\(reason.words))" }
}

extension Skip {
  /// What is left out, and why.
  public var words: String { "\(subject): left out (\(cause.words))" }
}
