// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// How text for people is laid out: as wide as the terminal, and coloured if the terminal supports it.
public struct OutputStyle: Hashable, Sendable {
  /// How many columns there are; nil where lines may be as long as they like, as in a pipe.
  public let width: Int?
  /// Whether words may be coloured.
  public let isColored: Bool

  /// Describes a layout.
  public init(width: Int? = nil, isColored: Bool = false) {
    self.width = width
    self.isColored = isColored
  }

  /// Decides by the environment and the terminal.
  ///
  /// - Parameters:
  ///   - environment: `NO_COLOR` that is not empty and `TERM=dumb` forbid colour; `COLUMNS` takes precedence
  ///     over the terminal's own width.
  ///   - terminalWidth: The columns of the terminal, 0 where it does not tell; nil where there is no terminal.
  public init(environment: [String: String], terminalWidth: Int?) {
    guard let terminalWidth else {
      self.init()
      return
    }
    let wanted = environment["COLUMNS"].flatMap { Int($0) } ?? 0
    let columns = wanted > 0 ? wanted : terminalWidth
    let isForbidden = environment["NO_COLOR"]?.isEmpty == false
    self.init(
      width: columns > 0 ? columns : Self.usualWidth,
      isColored: !isForbidden && Self.isCapable(environment["TERM"]))
  }

  /// The columns of a terminal that does not tell.
  static let usualWidth = 80

  /// Whether a terminal of this kind does more than print.
  static func isCapable(_ terminal: String?) -> Bool { terminal.map { !["", "dumb"].contains($0) } == true }

  /// No colour, and lines of any length.
  public static let plain = OutputStyle()

  /// The style of this process's standard output.
  static func live(_ environment: [String: String], _ descriptor: CInt = STDOUT_FILENO) -> OutputStyle {
    OutputStyle(environment: environment, terminalWidth: terminalWidth(of: descriptor))
  }

  /// The columns of a terminal, 0 where it does not tell; nil for anything else.
  static func terminalWidth(of descriptor: CInt) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
  }

  /// A text in the colour of its tone.
  public func painted(_ text: String, _ tone: Tone) -> String {
    guard isColored, let code = tone.code, !text.isEmpty else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }

  /// A line for people as their terminal gets it: broken to its width, and its mark coloured.
  public func lines(of line: String) -> [String] {
    // What programs read, and what is laid out already, is left alone.
    if line.hasPrefix("{") || line.contains("\n") || line.contains("\u{1B}") { return [line] }
    let mark = Self.marks.first { line.hasPrefix($0.text) }
    let lead = line.prefix { $0 == " " }.count
    let indentation = lead + (line.dropFirst(lead).hasPrefix("-> ") ? 3 : mark == nil ? 2 : 4)
    guard line.count > width ?? .max || mark != nil else { return [line] }
    let parts = wrapped(String(line.dropFirst(indentation)), indentation: indentation)
    let first = line.prefix(indentation) + parts[0]
    let head = mark.map { painted($0.text, $0.tone) + first.dropFirst($0.text.count) } ?? String(first)
    return [head] + parts.dropFirst().map { String(repeating: " ", count: indentation) + $0 }
  }

  private static let marks: [(text: String, tone: Tone)] = [
    ("==> ERROR:", .bad), ("==> WARNING:", .warning), ("==>", .good),
  ]

  /// A text in lines that fit, broken at blanks; a word that is longer than the line stays whole.
  ///
  /// - Parameters:
  ///   - text: One line of any length.
  ///   - indentation: How many columns are taken already, and left free in the lines that follow.
  /// - Returns: The lines, without the indentation; at least one.
  func wrapped(_ text: String, indentation: Int) -> [String] {
    guard let width, width > indentation else { return [text] }
    let room = max(width - indentation, Self.leastRoom)
    var lines: [String] = []
    var line: Substring = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if lines.isEmpty && line.isEmpty {
        line = word
      } else if line.count + 1 + word.count <= room {
        line += " \(word)"
      } else {
        lines.append(String(line))
        line = word
      }
    }
    return lines + [String(line)]
  }

  /// A column that is narrower would break every word.
  private static let leastRoom = 20
}

/// What a word means, where colour can show it.
public enum Tone: Hashable, Sendable {
  /// Nothing.
  case plain
  /// It is the subject.
  case strong
  /// All is well.
  case good
  /// It is worth a look.
  case warning
  /// It is wrong.
  case bad

  fileprivate var code: String? {
    switch self {
    case .plain: nil
    case .strong: "1"
    case .good: "32"
    case .warning: "33"
    case .bad: "31"
    }
  }
}
