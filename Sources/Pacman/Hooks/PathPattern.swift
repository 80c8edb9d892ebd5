// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A shell pattern as pacman's hooks use it: fnmatch(3) without flags, so `*` and `?` match `/` too.
public struct PathPattern {
  private let pattern: [CChar]
  /// What every matching path begins with; comparing it first spares nearly all calls of fnmatch.
  private let literalPrefix: [UInt8]

  /// Takes a pattern.
  public init(_ text: String) {
    pattern = Array(text.utf8CString)
    literalPrefix = Array(text.utf8.prefix { !"*?[\\".utf8.contains($0) })
  }

  /// Whether the path matches; its bytes need no NUL at the end.
  func matches(_ path: UnsafeRawBufferPointer) -> Bool {
    guard path.hasPrefix(literalPrefix) else { return false }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { copy in
      UnsafeMutableRawBufferPointer(copy).copyMemory(from: path)
      copy[path.count] = 0
      return fnmatch(pattern, copy.baseAddress, 0) == 0
    }
  }

  /// Whether a text matches.
  public func matches(_ text: String) -> Bool {
    Array(text.utf8).withUnsafeBytes(matches)
  }
}

/// The targets of a trigger, matched as libalpm does.
struct TargetPatterns {
  private let patterns: [(pattern: PathPattern, isNegated: Bool)]

  /// Takes the targets in the order of the file; `!` negates, and a backslash makes a leading `!` literal.
  init(_ texts: [String]) {
    patterns = texts.map { text in
      let isMarked = text.hasPrefix("!") || text.hasPrefix("\\")
      return (PathPattern(isMarked ? String(text.dropFirst()) : text), text.hasPrefix("!"))
    }
  }

  /// Whether a path or package is meant: the last pattern that matches it decides.
  func match(_ text: String) -> Bool {
    patterns.last { $0.pattern.matches(text) }.map { !$0.isNegated } ?? false
  }
}
