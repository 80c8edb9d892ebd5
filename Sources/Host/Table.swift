// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// Rows in aligned columns, the last of which is broken into lines that fit.
public struct Table: Hashable, Sendable {
  /// One place in a row.
  public struct Cell: Hashable, Sendable, ExpressibleByStringInterpolation {
    /// What it says.
    public let text: String
    /// What that means.
    public let tone: Tone

    /// Makes a cell.
    public init(_ text: String, _ tone: Tone = .plain) {
      self.text = text
      self.tone = tone
    }

    /// Takes a literal as a cell without a tone.
    public init(stringLiteral text: String) { self.init(text) }
  }

  /// On which side of its column a cell is.
  public enum Alignment: Hashable, Sendable {
    /// Words.
    case left
    /// Numbers.
    case right
  }

  private let alignments: [Alignment]
  private var rows: [[Cell]] = []

  /// Makes a table without rows; columns that are not named are aligned to the left.
  public init(_ alignments: [Alignment] = []) { self.alignments = alignments }

  /// Adds a row; a row that is shorter than others ends there.
  public mutating func append(_ row: [Cell]) { rows.append(row) }

  /// The rows as lines.
  ///
  /// Control characters that a name may hold are shown, not obeyed.
  public func lines(_ style: OutputStyle, indentation: String = "") -> [String] {
    let rows = rows.map { $0.map { Cell($0.text.withoutControls, $0.tone) } }
    let count = rows.map(\.count).max() ?? 0
    // The last cell of a row needs no room after it.
    let widths = (0..<count).map { column in
      rows.compactMap { $0.count - 1 > column ? $0[column].text.count : nil }.max() ?? 0
    }
    return rows.flatMap { lines(of: $0, widths, style, indentation) }
  }

  private func lines(
    of row: [Cell], _ widths: [Int], _ style: OutputStyle, _ indentation: String
  ) -> [String] {
    guard let last = row.last else { return [""] }
    var head = indentation
    var used = indentation.count
    for (column, cell) in row.dropLast().enumerated() {
      let padding = String(repeating: " ", count: widths[column] - cell.text.count)
      let isRight = alignments.indices.contains(column) && alignments[column] == .right
      head += (isRight ? padding : "") + style.painted(cell.text, cell.tone) + (isRight ? "" : padding) + "  "
      used += widths[column] + 2
    }
    return style.wrapped(last.text, indentation: used).enumerated().map { index, line in
      (index == 0 ? head : String(repeating: " ", count: used)) + style.painted(line, last.tone)
    }
  }
}

extension String {
  /// The text with a question mark for each character that a terminal would obey.
  fileprivate var withoutControls: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? "?" : $0 }))
  }
}
