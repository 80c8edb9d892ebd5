// SPDX-License-Identifier: GPL-2.0-or-later

/// What a replay plans for, and what it does with the plan; the raw values are those of the options.
public enum ReplayMode: String, CaseIterable, Sendable {
  /// Plan from the facts that were recorded.
  case recorded
  /// Plan for the machine as it is.
  case now
  /// Make both plans, and show where they differ.
  case diff
  /// Plan for the machine as it is, and do it.
  case execute
  /// Check that the facts of each record still give its plan.
  case check
}
