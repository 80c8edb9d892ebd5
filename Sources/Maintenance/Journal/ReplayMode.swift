// SPDX-License-Identifier: GPL-2.0-or-later

/// What a replay plans for, and what it does with the plan; the raw values are those of the options.
public enum ReplayMode: String, CaseIterable, Sendable {
  /// Plan from the facts that were recorded.
  case recorded
  /// Plan for the machine as it is.
  case now
  /// Plan for both, and say where they part.
  case diff
  /// Plan for the machine as it is, and do it.
  case execute
  /// Say of each record whether its facts still give its plan.
  case check
}
