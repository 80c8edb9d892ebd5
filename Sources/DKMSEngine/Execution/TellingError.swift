// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// The line of a log that says why its last command failed.
struct TellingError {
  /// The line; nil where there is none.
  let line: String?

  /// Looks for it in the lines of a log, in which a mark begins each command.
  init(in log: [String]) {
    let log = log.map(Self.plain)
    let last = log[(log.lastIndex { $0.hasPrefix(Self.commandMark) } ?? 0)...]
    let line =
      Self.ofConfigure(log) ?? Self.marked(Self.output(last)) ?? Self.marked(Self.output(log[...]))
    let hasFailed = last.contains { $0.hasPrefix(Self.exitMark) && $0 != "\(Self.exitMark)0" }
    self.line = line ?? (hasFailed ? Self.output(last).last { !Self.isIdle($0) }.map(Self.trimmed) : nil)
  }

  static let commandMark = "# command: "
  static let exitMark = "# exit code: "

  /// What commands have printed, without empty lines and without what the log says of them.
  private static func output(_ lines: ArraySlice<String>) -> [String] {
    let marks = [commandMark, exitMark, "# elapsed time: ", "# stopped because ", "----------------"]
    return lines.filter { line in !line.isEmpty && !marks.contains(where: line.hasPrefix) }
  }

  /// Why a configure script gave up: the line that says so, and those below it that begin with stars.
  private static func ofConfigure(_ lines: [String]) -> String? {
    let mark = "configure: error:"
    let isReason = { (line: String) in line.contains(mark) && !line.contains("\(mark) in ") }
    guard let index = lines.firstIndex(where: isReason) else { return nil }
    let below = lines[(index + 1)...].map(trimmed).prefix { $0.hasPrefix("***") }
    let parts = [trimmed(lines[index])] + below.map { trimmed(String($0.drop { $0 == "*" })) }
    return parts.filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// The most telling of the lines that look like an error, the first of its kind.
  private static func marked(_ lines: [String]) -> String? {
    if let line = lines.first(where: { $0.contains("No space left on device") }) { return trimmed(line) }
    if let index = lines.firstIndex(where: isError) { return located(lines, index) }
    if let index = lines.firstIndex(where: isSummary) {
      return trimmed(lines[..<index].last { !isIdle($0) } ?? lines[index])
    }
    return (lines.first(where: isRefusal) ?? lines.first { $0.contains("*** ") }).map(trimmed)
  }

  /// The error at an index; rustc names its place on the line below.
  private static func located(_ lines: [String], _ index: Int) -> String {
    let (line, arrow) = (trimmed(lines[index]), "--> ")
    let below = index + 1 < lines.count ? trimmed(lines[index + 1]) : ""
    return below.hasPrefix(arrow) ? "\(below.dropFirst(arrow.count)): \(line)" : line
  }

  // MARK: Kinds of lines

  /// What compilers, linkers and modpost say, and make where it has a reason of its own.
  private static func isError(_ line: String) -> Bool {
    if isSummary(line) { return false }
    return [" error: ", ": fatal error:", "ERROR: ", "Error: ", "FATAL: ", "undefined reference to "]
      .contains(where: line.contains)
      || line.hasPrefix("error: ") || line.hasPrefix("error[")
      || line.contains("*** ") && (line.hasSuffix("Stop.") || line.contains("*** ["))
  }

  /// What only says that something failed: the reason is on a line before it.
  private static func isSummary(_ line: String) -> Bool {
    line.contains("*** [") && line.contains("] Error ") || line.contains("error: ld returned ")
      || line.contains("warnings being treated as errors")
  }

  /// What programs say when they refuse to do what they are told.
  private static func isRefusal(_ line: String) -> Bool {
    refusals.contains(where: line.contains) || line.hasSuffix(": not found")
  }

  private static let refusals = [
    "Exec format error", "unrecognized option", "invalid option", "unknown option", ": cannot execute",
    ": command not found", "No such file or directory", "Read-only file system", "Network is unreachable",
    "Permission denied", "Cannot allocate memory",
  ]

  /// What says nothing of an error: the steps of make and kbuild, and lines of a source.
  private static func isIdle(_ line: String) -> Bool {
    let text = trimmed(line)
    let isStepOfKbuild = line.hasPrefix("  ") && text.first?.isUppercase == true && !isError(line)
    return isStepOfKbuild || text.isEmpty || text.drop { $0.isNumber || $0 == " " }.hasPrefix("|")
      || ["ing directory ", "*** ", "(ignored)", "compilation terminated.", "compiler differs from "]
        .contains(where: text.contains)
  }

  // MARK: Text

  /// A line without the colours that compilers give it.
  private static func plain(_ line: String) -> String {
    guard line.utf8.contains(0x1B) else { return line }
    return line.parts(between: "\u{1B}[").enumerated().map { index, part in
      index == 0 ? part : part.drop { !$0.isLetter }.dropFirst()
    }.joined()
  }

  private static func trimmed(_ line: String) -> String {
    var text = line[...].drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
