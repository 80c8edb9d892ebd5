// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization

/// How people are told, while work goes on, that it does.
public enum SignOfLife: Sendable {
  /// Not at all: scripts know what is printed, line by line.
  case none
  /// By lines: where something begins, and once a minute while it lasts.
  case lines
  /// By a line of the terminal that is written anew each second.
  case live(LiveLine)
}

/// The last line of a terminal, rewritten in place until nothing of it is left.
///
/// What is printed meanwhile takes its place; when it is next shown, it is below that.
public final class LiveLine: Sendable {
  /// The columns of the terminal; nil while nothing may be shown.
  private let width: @Sendable () -> Int?
  private let write: @Sendable (String) -> Void
  private let isShown = Mutex(false)

  /// Makes a line on a terminal; its width is asked for each time.
  public init(width: @escaping @Sendable () -> Int?, write: @escaping @Sendable (String) -> Void) {
    self.width = width
    self.write = write
  }

  /// The line of the terminal that is this process's standard output; nil where that is none, or one that cannot
  /// erase.
  static func live(_ environment: [String: String]) -> LiveLine? {
    guard OutputStyle.terminalWidth(of: STDOUT_FILENO) != nil, OutputStyle.isCapable(environment["TERM"])
    else { return nil }
    return LiveLine(width: foregroundWidth) { _ = Console.write($0, to: STDOUT_FILENO) }
  }

  /// A shell that has sent its job into the background uses the last line itself.
  @Sendable private static func foregroundWidth() -> Int? {
    guard tcgetpgrp(STDOUT_FILENO) == getpgrp() else { return nil }
    return OutputStyle.terminalWidth(of: STDOUT_FILENO).map { $0 > 0 ? $0 : OutputStyle.usualWidth }
  }

  /// Shows the first of these texts that fits into the line, or else what fits of the last; of none, nothing.
  public func show(_ texts: [String]) {
    isShown.withLock { isShown in
      guard let width = width(), let last = texts.last else { return erase(&isShown) }
      // A character in the last column would make some terminals begin a new line.
      let room = max(width - 1, 0)
      let text = texts.first { $0.count <= room } ?? String(last.prefix(room))
      write(Self.erasure + text)
      isShown = true
    }
  }

  /// Takes the line away.
  public func erase() { isShown.withLock { erase(&$0) } }

  /// Has something printed in its place.
  func giveWay<Value>(to print: () -> Value) -> Value {
    isShown.withLock { isShown in
      erase(&isShown)
      return print()
    }
  }

  private func erase(_ isShown: inout Bool) {
    if isShown { write(Self.erasure) }
    isShown = false
  }

  /// To the first column, and nothing to the right of it.
  private static let erasure = "\r\u{1B}[K"
}
