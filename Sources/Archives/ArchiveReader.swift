// SPDX-License-Identifier: GPL-2.0-or-later

internal import CArchive
internal import Glibc
internal import Host
public import SystemPackage

/// Reads a tar or cpio archive from its beginning to its end, however it is compressed.
///
/// Nothing in it is checked: names may lead anywhere, and contents may be larger than any disk.
public struct ArchiveReader: ~Copyable {
  private let library: ArchiveLibrary
  private let handle: OpaquePointer
  private let archive: FilePath
  private let descriptor: FileDescriptor
  private static let chunkSize = 1 << 16

  /// Opens an archive.
  ///
  /// - Throws: `ArchiveError` where it is no archive, no regular file, or libarchive is missing.
  public init(_ archive: FilePath) throws(ArchiveError) {
    let library = try ArchiveLibrary(for: .read, archive)
    let descriptor: FileDescriptor
    do { descriptor = try Files.open(archive) } catch { throw ArchiveError(.read, archive, error) }
    guard let handle = library.reader.new() else {
      try? descriptor.close()
      throw ArchiveError(.read, archive, .system(.noMemory, archive))
    }
    // All the filters that libarchive has built in; for others it would start programs.
    for filter in [
      ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_COMPRESS, ARCHIVE_FILTER_LZMA,
      ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_LZIP, ARCHIVE_FILTER_LZ4, ARCHIVE_FILTER_ZSTD,
    ] {
      _ = library.reader.supportFilter(handle, filter)
    }
    _ = library.reader.supportTar(handle)
    _ = library.reader.supportCpio(handle)
    guard library.reader.open(handle, descriptor.rawValue, Self.chunkSize) >= ARCHIVE_WARN else {
      let reason = library.failure(of: handle)
      _ = library.reader.free(handle)
      try? descriptor.close()
      throw ArchiveError(.read, archive, reason)
    }
    self.library = library
    self.handle = handle
    self.archive = archive
    self.descriptor = descriptor
  }

  deinit {
    _ = library.reader.free(handle)
    try? descriptor.close()
  }

  /// The next entry; nil at the end.
  ///
  /// - Throws: `ArchiveError` where the archive is damaged.
  public mutating func next() throws(ArchiveError) -> ArchiveEntry? {
    var entry: OpaquePointer?
    let code = library.reader.nextHeader(handle, &entry)
    if code == ARCHIVE_EOF { return nil }
    guard code >= ARCHIVE_WARN, let entry else { throw failure }
    let functions = library.entry
    return ArchiveEntry(
      Self.text(functions.path, of: entry) ?? "", kind(of: entry),
      permissions: FilePermissions(rawValue: CModeT(functions.permissions(entry))),
      size: functions.size(entry), modificationTime: functions.modificationTime(entry))
  }

  /// The next bytes of the entry's contents; none at their end.
  ///
  /// - Throws: `ArchiveError` where the archive is damaged.
  public mutating func readChunk() throws(ArchiveError) -> [UInt8] {
    if Task.isCancelled { throw ArchiveError(.read, archive, .system(.interrupted, archive)) }
    var count = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, initialized in
      count = library.reader.data(handle, buffer.baseAddress, buffer.count)
      initialized = max(count, 0)
    }
    guard count >= 0 else { throw failure }
    return chunk
  }

  private func kind(of entry: OpaquePointer) -> ArchiveEntry.Kind {
    if let target = Self.text(library.entry.hardlink, of: entry) { return .hardlink(target: target) }
    return switch mode_t(library.entry.fileType(entry)) {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .symlink(target: Self.text(library.entry.symlink, of: entry) ?? "")
    default: .other
    }
  }

  private static func text(
    _ functions: [@convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?], of entry: OpaquePointer
  ) -> FilePath? {
    functions.lazy.compactMap { $0(entry) }.first.map { FilePath(platformString: $0) }
  }

  private var failure: ArchiveError {
    ArchiveError(.read, archive, library.failure(of: handle))
  }
}
