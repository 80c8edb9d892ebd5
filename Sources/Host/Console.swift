// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
internal import SystemPackage

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
  ///
  /// Lines take the place of the live one, if there is one. Work on the system goes on where they cannot be written;
  /// `Program` says at the end that output was lost.
  public static func live(over liveLine: LiveLine? = nil) -> Console {
    Console { stream, line in
      let print = { write("\(line)\n", to: stream == .output ? STDOUT_FILENO : STDERR_FILENO) }
      guard let error = liveLine.map({ $0.giveWay(to: print) }) ?? print() else { return }
      // A reader that has gone wants no more.
      guard stream == .output, ![.brokenPipe, .connectionReset].contains(error) else { return }
      loss.withLock { $0 = $0 ?? error }
    }
  }

  /// The first error that has kept a line of this process from its standard output.
  static var lostOutput: Errno? { loss.withLock { $0 } }

  private static let loss = Mutex<Errno?>(nil)

  static func write(_ text: String, to descriptor: CInt) -> Errno? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        bytes = bytes.dropFirst(written)
        continue
      }
      switch Errno.current {
      case .interrupted: continue
      case .wouldBlock:
        // Others may have made the pipe such that it does not wait.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&ready, 1, -1)
      case let error: return error
      }
    }
    return nil
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
