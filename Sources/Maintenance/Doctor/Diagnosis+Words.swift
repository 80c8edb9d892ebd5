// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import JSON

extension Diagnosis {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 2

  /// What was found, each with its reason and what fixes it.
  func lines(_ style: OutputStyle) -> [String] {
    guard !findings.isEmpty else { return [style.painted("==> Nothing is wrong", .good)] }
    let details = findings.flatMap { finding -> [String] in
      var table = Table()
      table.append(["why", .init(finding.reason)])
      if let remedy = finding.remedy { table.append(["fix", .init(remedy, .good)]) }
      let title = "\(finding.subject): \(finding.kind.words)"
      return ["==> " + style.painted(title, .strong)] + table.lines(style, indentation: "  -> ")
    }
    let count = repairs.isEmpty ? "" : ", \(findings.filter(\.isSafe).count) of them safe to fix with --fix"
    return details + [style.painted("==> \(findings.count.counted("problem")) found\(count)", .warning)]
  }

  /// What `alpm-dkms doctor --json` prints; with what was fixed where that was asked for.
  func json(fixed: [DoctorFinding]?) -> JSON {
    .object(
      [
        .init("schema", .number(Self.schema)),
        .init("version", .string(Version.current)),
        .init("findings", .array(findings.map(\.json))),
      ] + (fixed.map { [.init("fixed", .array($0.map(\.json)))] } ?? []))
  }
}

extension DoctorFinding {
  fileprivate var json: JSON {
    .object([
      .init("kind", .string(kind.rawValue)),
      .init("subject", .string(subject)),
      .init("reason", .string(reason)),
      .init("remedy", .string(orNull: remedy)),
      .init("safe", .bool(isSafe)),
    ])
  }
}
