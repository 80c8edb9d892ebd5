// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import JSON
internal import SystemPackage

extension PrunePlan {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 1

  /// A line for each thing, and one for all of them.
  func lines(_ style: OutputStyle) -> [String] {
    guard !items.isEmpty else { return [] }
    var table = Table([.right])
    for item in items {
      table.append([
        .init("\(ByteCount(item.size))"), .init(item.path.string, .strong), .init(item.kind.reason),
      ])
    }
    return table.lines(style) + ["==> \(items.count.counted("item")) could be removed, \(ByteCount(size))"]
  }

  /// What `alpm-dkms prune --json` prints, where these have been removed.
  func json(without removed: Set<FilePath>) -> JSON {
    .object([
      .init("schema", .number(Self.schema)),
      .init("version", .string(Version.current)),
      .init("size", .number(size)),
      .init(
        "items",
        .array(
          items.map { item in
            .object([
              .init("kind", .string(item.kind.rawValue)),
              .init("path", .string(item.path.string)),
              .init("size", .number(item.size)),
              .init("reason", .string(item.kind.reason)),
              .init("removed", .bool(removed.contains(item.path))),
            ])
          })),
    ])
  }
}
