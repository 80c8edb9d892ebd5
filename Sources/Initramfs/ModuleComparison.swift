// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import SystemPackage

/// Compares bytes that come in pieces with those of a module file, of which it keeps a piece at a time.
final class ModuleComparison {
  private var file: ByteReader?

  /// Compares with a file, decompressed; one that cannot be read equals nothing.
  init(with file: FilePath, limit: Int64) {
    do throws(ArchiveError) {
      self.file = ByteReader(
        try Decompressor.plainBytes(of: try FileRange(of: file), in: file, limit: limit))
    } catch {
      self.file = nil
    }
  }

  /// Compares the next bytes.
  func add(_ bytes: [UInt8]) {
    do throws(ArchiveError) {
      if let file, try file.take(bytes.count) != bytes { self.file = nil }
    } catch {
      file = nil
    }
  }

  /// Whether all bytes were the file's, and the file has no more.
  func finish() -> Bool {
    do throws(ArchiveError) {
      guard let file else { return false }
      return try file.peek() == nil
    } catch {
      return false
    }
  }
}
