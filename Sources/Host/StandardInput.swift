// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

extension FileDescriptor {
  /// The lines of a stream up to its end, as bytes; the last one need not end in a newline.
  ///
  /// All of it is read, since a writer without a reader fails.
  ///
  /// - Throws: `HostError`.
  public func lines() throws(HostError) -> [[UInt8]] {
    do {
      return try readToEnd().split(separator: UInt8(ascii: "\n")).map(Array.init)
    } catch {
      throw HostError("read", "standard input", error as? Errno ?? .ioError)
    }
  }
}

/// Reads a file of any length a line at a time, in memory that does not grow with it.
public final class LineReader {
  private let descriptor: FileDescriptor
  private let path: FilePath
  private var chunk: [UInt8]
  private var rest: Range<Int> = 0..<0
  /// The largest number of bytes held at any moment, including the last chunk.
  private(set) var greatestHold = 0
  /// How much of a line is kept; what follows is read and dropped.
  private let lineLimit: Int

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - chunkSize: How many bytes are read at once.
  ///   - lineLimit: How many bytes of a line are kept.
  /// - Throws: `HostError`.
  public init(_ path: FilePath, chunkSize: Int = 1 << 16, lineLimit: Int = 1 << 16) throws(HostError) {
    self.path = path
    self.lineLimit = lineLimit
    chunk = [UInt8](repeating: 0, count: chunkSize)
    do {
      descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
    } catch {
      throw HostError("read", path, error as? Errno ?? .ioError)
    }
  }

  deinit { try? descriptor.close() }

  /// The next line without its end; nil after the last.
  ///
  /// - Throws: `HostError`.
  public func next() throws(HostError) -> [UInt8]? {
    var line: [UInt8] = []
    var hasLine = false
    while true {
      if rest.isEmpty, try !fill() { return hasLine ? line : nil }
      hasLine = true
      let end = chunk[rest].firstIndex(of: UInt8(ascii: "\n"))
      line += chunk[rest.lowerBound..<(end ?? rest.upperBound)].prefix(lineLimit - line.count)
      greatestHold = max(greatestHold, chunk.count + line.count)
      rest = (end.map { $0 + 1 } ?? rest.upperBound)..<rest.upperBound
      if end != nil { return line }
    }
  }

  /// Reads a chunk; false at the end of the file.
  private func fill() throws(HostError) -> Bool {
    do {
      let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
      rest = 0..<count
      return count > 0
    } catch {
      throw HostError("read", path, error as? Errno ?? .ioError)
    }
  }
}

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
