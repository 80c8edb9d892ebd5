// SPDX-License-Identifier: GPL-2.0-or-later

extension DKMSError {
  /// The log that tells more, where there is one.
  public var log: String? {
    switch self {
    case .patchFailed(_, _, _, let log), .buildFailed(_, _, _, let log), .buildSilent(_, _, _, let log),
      .moduleNotProduced(_, _, _, _, let log), .vermagicMismatch(_, _, _, _, let log):
      log
    case .scriptFailed(_, _, _, _, let log): log
    default: nil
    }
  }
}
