// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Questions to the person at the terminal.
public enum TerminalQuestion {
  /// Asks for yes or no; anything but a yes is a no.
  ///
  /// Nil if standard input is not a terminal.
  @Sendable public static func ask(_ question: String) -> Bool? {
    guard isatty(STDIN_FILENO) == 1 else { return nil }
    let prompt = Array(":: \(question) [y/N] ".utf8)
    _ = prompt.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }
}
