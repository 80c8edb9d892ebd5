// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What the shell of `BashEvaluator` writes: triples of a name, an index and a value, or of an empty string,
/// a keyword and a text.
struct BashAccount {
  /// The values that were read.
  private(set) var variables = Variables()
  /// The file that was begun last.
  private(set) var file: String?
  /// Why that file is no bash, if it is not.
  private(set) var complaint: String?
  /// Whether the shell came to the end of the last file; one that calls exit keeps it from that.
  private(set) var isWhole = false

  init(_ output: [UInt8]) {
    let fields = output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    for start in stride(from: 0, to: fields.count - 3, by: 3) {
      switch (fields[start], fields[start + 1], fields[start + 2]) {
      case ("", "file", let path): file = path
      case ("", "malformed", let text): complaint = Self.firstLine(of: text)
      case ("", _, _): isWhole = true
      case (let name, let index, let value): variables[name, Int(index) ?? 0] = value
      }
    }
  }

  /// Only the line number and the problem; the name of the file that precedes them is known.
  private static func firstLine(of complaint: String) -> String {
    let line = complaint.prefix { $0 != "\n" }
    return line.firstRange(of: ": line ").map { "line " + line[$0.upperBound...] } ?? String(line)
  }
}
