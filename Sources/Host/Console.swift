// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization

/// Where words for people go: two streams of whole lines.
public struct Console: Sendable {
  private let sink: @Sendable (Stream, String) -> Void
  /// Where commands go, which are not broken into lines.
  private let wholeSink: @Sendable (Stream, String) -> Void

  /// One of the two streams.
  public enum Stream: Sendable {
    /// What was asked for.
    case output
    /// What went wrong.
    case error
  }

  /// Makes a console that hands each line, without its end, to a function.
  public init(sink: @escaping @Sendable (Stream, String) -> Void) {
    self.init(sink, whole: sink)
  }

  private init(
    _ sink: @escaping @Sendable (Stream, String) -> Void,
    whole: @escaping @Sendable (Stream, String) -> Void
  ) {
    self.sink = sink
    wholeSink = whole
  }

  /// Writes to descriptors 1 and 2, which pacman gives to its hooks as sockets.
  public static func live() -> Console {
    Console { stream, line in
      var bytes = Array(line.utf8)[...]
      bytes.append(UInt8(ascii: "\n"))
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes {
          write(stream == .output ? STDOUT_FILENO : STDERR_FILENO, $0.baseAddress, $0.count)
        }
        if written < 0 && errno == EINTR { continue }
        // Work on the system must not stop because a reader has gone.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }

  /// The same, with lines laid out for the terminals behind the streams.
  func laidOut(_ output: OutputStyle, errors: OutputStyle) -> Console {
    let laidOut: @Sendable (Stream, String) -> Void = { [sink] stream, line in
      for part in (stream == .output ? output : errors).lines(of: line) { sink(stream, part) }
    }
    return Console(laidOut, whole: wholeSink)
  }

  /// The same console, with every line on standard error.
  var onErrors: Console {
    Console(
      { [sink] _, line in sink(.error, line) }, whole: { [wholeSink] _, line in wholeSink(.error, line) })
  }

  /// A console that says nothing.
  public static let silent = Console { _, _ in }

  /// Writes a line to standard output.
  public func print(_ line: String) { sink(.output, line) }

  /// Writes a line to standard error.
  public func printError(_ line: String) { sink(.error, line) }

  /// Writes a command to be typed, alone on its line and unbroken, whatever the width of the terminal.
  public func printCommand(_ command: String, to stream: Stream = .error) {
    wholeSink(stream, Self.commandIndentation + command)
  }

  private static let commandIndentation = "     "
}

/// Keeps the lines of a console for a test.
public final class Transcript: Sendable {
  private let lines = Mutex<(output: [String], error: [String])>(([], []))

  /// Makes an empty transcript.
  public init() {}

  /// The console that writes to it.
  public var console: Console {
    Console { [self] stream, line in
      lines.withLock {
        switch stream {
        case .output: $0.output.append(line)
        case .error: $0.error.append(line)
        }
      }
    }
  }

  /// The lines of standard output so far.
  public var output: [String] { lines.withLock { $0.output } }

  /// The lines of standard error so far.
  public var error: [String] { lines.withLock { $0.error } }
}
