// SPDX-License-Identifier: GPL-2.0-or-later

internal import CArchive
internal import Glibc
internal import Host
public import SystemPackage

/// Writes a tar archive in GNU tar's format, which keeps names as the bytes they are.
///
/// The same entries give the same bytes: owners are not recorded, nor is the time of writing.
public struct ArchiveWriter: ~Copyable {
  private let library: ArchiveLibrary
  private let handle: OpaquePointer
  private let descriptor: FileDescriptor
  private let archive: FilePath

  /// Makes a file that is not there yet, mode 0644.
  ///
  /// - Throws: `ArchiveError` where the file is there already or cannot be made, or libarchive is missing.
  public init(creating archive: FilePath, compression: ArchiveCompression) throws(ArchiveError) {
    let library = try ArchiveLibrary(for: .write, archive)
    guard let handle = library.writer.new() else {
      throw ArchiveError(.write, archive, .system(.noMemory, archive))
    }
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor.open(
        archive, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
        permissions: .everyoneReads)
    } catch {
      _ = library.writer.free(handle)
      throw ArchiveError(.write, archive, .system(error as? Errno ?? .ioError, archive))
    }
    let isReady =
      library.writer.setFormat(handle) >= ARCHIVE_WARN
      && (compression == .none || library.writer.addFilter(handle, compression.rawValue) >= ARCHIVE_WARN)
      // Without this, gzip records the time of writing.
      && (compression != .gzip
        || library.writer.setFilterOption(handle, "gzip", "timestamp", nil) >= ARCHIVE_WARN)
      && library.writer.open(handle, descriptor.rawValue) >= ARCHIVE_WARN
    guard isReady else {
      let reason = library.failure(of: handle)
      _ = library.writer.free(handle)
      try? descriptor.close()
      throw ArchiveError(.write, archive, reason)
    }
    self.library = library
    self.handle = handle
    self.descriptor = descriptor
    self.archive = archive
  }

  deinit {
    _ = library.writer.free(handle)
    try? descriptor.close()
  }

  /// Adds an entry, with its contents where it is a file.
  ///
  /// - Throws: `ArchiveError` where the archive cannot be written.
  public mutating func add(_ entry: ArchiveEntry, contents: [UInt8] = []) throws(ArchiveError) {
    var entry = entry
    entry.size = Int64(contents.count)
    try begin(entry)
    try append(contents)
  }

  /// Adds a directory and all that is below it, in the order of the names as bytes; links stay links.
  ///
  /// - Parameters:
  ///   - directory: What is added; followed where it is a link.
  ///   - path: What it is called in the archive.
  ///   - excluded: Names that are left out, wherever they are.
  /// - Throws: `ArchiveError`, also for a thing that is neither file nor directory nor link.
  public mutating func addTree(
    _ directory: FilePath, as path: FilePath, excluding excluded: Set<String> = []
  ) throws(ArchiveError) {
    try add(ArchiveEntry(path, .directory, status: try status(of: directory, follow: true)))
    for name in try names(in: directory) where !excluded.contains(name.string) {
      let source = directory.appending(name)
      let goal = path.appending(name)
      let status = try status(of: source, follow: false)
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try addTree(source, as: goal, excluding: excluded)
      case S_IFREG: try addFile(source, as: goal)
      case S_IFLNK:
        try add(ArchiveEntry(goal, .symlink(target: try target(of: source)), status: status))
      default: throw ArchiveError(.write, archive, .refused(entry: source, .special))
      }
    }
  }

  /// Adds a file; followed where it is a link.
  ///
  /// - Throws: `ArchiveError` where the file cannot be read, or the archive cannot be written.
  public mutating func addFile(_ file: FilePath, as path: FilePath) throws(ArchiveError) {
    if Task.isCancelled { throw ArchiveError(.write, archive, .system(.interrupted, file)) }
    do {
      let descriptor = try Files.open(file)
      defer { try? descriptor.close() }
      var status = stat()
      guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
      var entry = ArchiveEntry(path, .file, status: status)
      entry.size = Int64(status.st_size)
      try begin(entry)
      try appendContents(of: descriptor, file, size: entry.size)
    } catch {
      if let error = error as? HostError { throw ArchiveError(.write, archive, error) }
      throw error as? ArchiveError
        ?? ArchiveError(.write, archive, .system(error as? Errno ?? .ioError, file))
    }
  }

  /// Ends the archive and brings it to the disk; without it the file is worthless.
  ///
  /// - Throws: `ArchiveError` where the archive cannot be written to the end, or not synced.
  public mutating func finish() throws(ArchiveError) {
    try check(library.writer.close(handle))
    guard fsync(descriptor.rawValue) == 0 else {
      throw ArchiveError(.write, archive, .system(Errno(rawValue: errno), archive))
    }
  }

  // MARK: Pieces

  private func names(in directory: FilePath) throws(ArchiveError) -> [FilePath.Component] {
    do { return try Files.components(of: directory) } catch { throw ArchiveError(.write, archive, error) }
  }

  private func target(of link: FilePath) throws(ArchiveError) -> FilePath {
    do { return try Files.linkTarget(link) ?? "" } catch { throw ArchiveError(.write, archive, error) }
  }

  private func status(of path: FilePath, follow: Bool) throws(ArchiveError) -> stat {
    var status = stat()
    let code = path.withPlatformString { follow ? stat($0, &status) : lstat($0, &status) }
    guard code == 0 else { throw ArchiveError(.write, archive, .system(Errno(rawValue: errno), path)) }
    return status
  }

  private func begin(_ entry: ArchiveEntry) throws(ArchiveError) {
    guard let pointer = library.entry.new() else {
      throw ArchiveError(.write, archive, .system(.noMemory, archive))
    }
    defer { library.entry.free(pointer) }
    entry.path.withPlatformString { library.entry.setPath(pointer, $0) }
    library.entry.setPermissions(pointer, mode_t(entry.permissions.rawValue))
    library.entry.setSize(pointer, entry.size)
    library.entry.setModificationTime(pointer, entry.modificationTime, 0)
    switch entry.kind {
    case .file: library.entry.setFileType(pointer, S_IFREG)
    case .directory: library.entry.setFileType(pointer, S_IFDIR)
    case .symlink(let target):
      library.entry.setFileType(pointer, S_IFLNK)
      target.withPlatformString { library.entry.setSymlink(pointer, $0) }
    case .hardlink(let target):
      library.entry.setFileType(pointer, S_IFREG)
      target.withPlatformString { library.entry.setHardlink(pointer, $0) }
    case .other: library.entry.setFileType(pointer, S_IFIFO)
    }
    try check(library.writer.header(handle, pointer))
  }

  /// Writes exactly as many bytes as announced, even if the file changes meanwhile; libarchive pads what is
  /// missing.
  private func appendContents(of descriptor: FileDescriptor, _ file: FilePath, size: Int64) throws {
    var left = size
    while left > 0 {
      let chunk = try [UInt8](unsafeUninitializedCapacity: Int(min(left, 1 << 16))) { buffer, count in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      guard !chunk.isEmpty else { throw Errno.ioError }
      try append(chunk)
      left -= Int64(chunk.count)
    }
  }

  private func append(_ bytes: [UInt8]) throws(ArchiveError) {
    guard !bytes.isEmpty else { return }
    let written = bytes.withUnsafeBytes { library.writer.data(handle, $0.baseAddress, $0.count) }
    guard written == bytes.count else { throw ArchiveError(.write, archive, library.failure(of: handle)) }
  }

  private func check(_ code: CInt) throws(ArchiveError) {
    guard code >= ARCHIVE_WARN else { throw ArchiveError(.write, archive, library.failure(of: handle)) }
  }
}

extension ArchiveEntry {
  fileprivate init(_ path: FilePath, _ kind: Kind, status: stat) {
    self.init(
      path, kind, permissions: FilePermissions(rawValue: status.st_mode & 0o7777),
      modificationTime: status.st_mtim.tv_sec)
  }
}

/// How an archive is compressed when it is written; the raw value is libarchive's name of it.
public enum ArchiveCompression: String, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// By gzip.
  case gzip
  /// By bzip2.
  case bzip2
  /// By xz.
  case xz
  /// By zstd.
  case zstd

  /// The compression that a file's name asks for, as GNU tar's `--auto-compress` understands it.
  public init(forFile file: FilePath) {
    switch file.extension {
    case "gz", "tgz", "taz": self = .gzip
    case "bz2", "tbz", "tbz2", "tz2": self = .bzip2
    case "xz", "txz": self = .xz
    case "zst", "tzst": self = .zstd
    default: self = .none
    }
  }
}
