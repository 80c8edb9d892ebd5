// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A POSIX extended regular expression, as bash's `=~` takes it.
enum ExtendedExpression {
  /// Whether the expression is found in the text; an invalid one is found nowhere.
  static func matches(_ pattern: String, in text: String) -> Bool {
    var expression = regex_t()
    guard regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return false }
    defer { regfree(&expression) }
    return regexec(&expression, text, 0, nil, 0) == 0
  }
}
