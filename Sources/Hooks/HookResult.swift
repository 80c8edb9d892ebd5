// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import JSON
package import Journal

/// What came of a call of a helper.
package struct HookResult: Sendable {
  /// What the helper tells pacman: 0 where all is well.
  package let status: Int32
  /// What it saw, planned and did; nil where nothing concerned it, or where it was not allowed to begin.
  package var record: JournalRecord?
}

extension [HookResult] {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static var schema: Int { 1 }

  /// The status of the first call that did not go well; 0 where all did.
  package var status: Int32 { map(\.status).first { $0 != 0 } ?? 0 }

  /// What programs get of calls; more members may precede the calls.
  package func json(_ members: [JSON.Member] = []) -> JSON {
    .object(
      [
        .init("schema", .number(Self.schema)), .init("version", .string(Version.current)),
        .init("status", .number(Int(status))),
      ] + members + [.init("calls", .array(compactMap(\.record).map { JSON(encoding: $0) }))])
  }
}
