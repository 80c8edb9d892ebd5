// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Synchronization
public import SystemPackage

extension FileDescriptor {
  /// More than the paths of all files of a system, in bytes.
  private static let inputLimit = 64 << 20

  /// The lines of a stream up to its end, as bytes; the last one need not end in a newline.
  ///
  /// All of it is read, since a writer without a reader fails. Cancelling the task ends the wait for a writer.
  ///
  /// - Throws: `HostError`, also where it is larger than 64 MiB, or the task is cancelled.
  public func lines() async throws(HostError) -> [[UInt8]] {
    var bytes: [UInt8] = []
    while case let chunk = try await nextChunk(), !chunk.isEmpty {
      bytes += chunk
      guard bytes.count <= Self.inputLimit else {
        throw HostError("read", "standard input", .tooLarge(limit: Self.inputLimit))
      }
    }
    return bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
  }

  /// What a stream holds next, at most 64 KiB; none at its end.
  ///
  /// - Throws: `HostError`, also where the task is cancelled while nothing comes.
  func nextChunk() async throws(HostError) -> [UInt8] {
    let isOver = Mutex(false)
    let answer = Mutex<Result<[UInt8], Errno>>(.failure(.interrupted))
    await withTaskCancellationHandler {
      await onOwnThread {
        // No signal wakes a thread that reads, so it asks from time to time whether it is still wanted.
        let pollMilliseconds: CInt = 100
        while !isOver.withLock({ $0 }) {
          var ready = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
          let count = poll(&ready, 1, pollMilliseconds)
          if count == 0 || count < 0 && errno == EINTR { continue }
          let result = readOnce()
          // Another process may have taken what was there.
          if result == .failure(.resourceTemporarilyUnavailable) { continue }
          answer.withLock { $0 = result }
          return
        }
      }
    } onCancel: {
      isOver.withLock { $0 = true }
    }
    do { return try answer.withLock { $0 }.get() } catch {
      throw HostError("read", "standard input", error)
    }
  }
}

extension FileDescriptor {
  private func readOnce() -> Result<[UInt8], Errno> {
    do {
      return .success(
        try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
          count = try read(into: UnsafeMutableRawBufferPointer(buffer), retryOnInterrupt: true)
        })
    } catch {
      return .failure(error as? Errno ?? .ioError)
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
  /// - Throws: `HostError`, also for what is no regular file.
  public init(_ path: FilePath, chunkSize: Int = 1 << 16, lineLimit: Int = 1 << 16) throws(HostError) {
    self.path = path
    self.lineLimit = lineLimit
    chunk = [UInt8](repeating: 0, count: chunkSize)
    descriptor = try Files.open(path)
  }

  deinit { try? descriptor.close() }

  /// The next line without its end; nil after the last.
  ///
  /// - Throws: `HostError` where the file cannot be read, or the task is cancelled.
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
    // A log of years takes seconds.
    if Task.isCancelled { throw HostError("read", path, .interrupted) }
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
  /// Nil if standard input is not a terminal; cancelling the task is a no.
  @Sendable public static func ask(_ question: String) async -> Bool? {
    guard isatty(STDIN_FILENO) == 1 else { return nil }
    let prompt = Array(":: \(question) [y/N] ".utf8)
    _ = prompt.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    // A terminal hands over a line at a time.
    let answer = (try? await FileDescriptor.standardInput.nextChunk()) ?? []
    let word = String(decoding: answer.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return ["y", "yes"].contains(word.lowercased())
  }
}
