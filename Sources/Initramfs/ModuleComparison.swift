// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import SystemPackage

/// Compares bytes that come in pieces with those of a module file, of which it keeps a piece at a time.
final class ModuleComparison {
  private var file: ByteReader?

  /// Compares with a file, decompressed; one that is missing or damaged equals nothing.
  ///
  /// - Throws: `ArchiveError` where the file cannot be looked at.
  init(with file: FilePath, limit: Int64) throws(ArchiveError) {
    self.file = try Self.answer { () throws(ArchiveError) in
      ByteReader(try Decompressor.plainBytes(of: try FileRange(of: file), in: file, limit: limit))
    }
  }

  /// Compares the next bytes.
  ///
  /// - Throws: `ArchiveError` where those of the file cannot be read.
  func add(_ bytes: [UInt8]) throws(ArchiveError) {
    guard let file else { return }
    let own = try Self.answer { () throws(ArchiveError) in try file.take(bytes.count) }
    if own != bytes { self.file = nil }
  }

  /// Whether all bytes were the file's, and the file has no more.
  ///
  /// - Throws: `ArchiveError` where its end cannot be read.
  func finish() throws(ArchiveError) -> Bool {
    guard let file else { return false }
    return try Self.answer { () throws(ArchiveError) in try file.peek() == nil } ?? false
  }

  /// What reading gives; nil where the file is missing or damaged.
  private static func answer<Value>(
    _ read: () throws(ArchiveError) -> Value
  ) throws(ArchiveError) -> Value? {
    do {
      return try read()
    } catch {
      switch error.reason {
      case .system(.noSuchFileOrDirectory, _), .system(.notDirectory, _): return nil
      case let reason where reason.isFailedLook: throw error
      default: return nil
      }
    }
  }
}
