// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
public import SystemPackage

/// Questions to the file system, and changes of it that are either whole or not there.
///
/// A question has three answers: it is there, it is not (`ENOENT` and `ENOTDIR`, nothing else), or the look
/// failed. The last is thrown, so that a disk that cannot be read is never taken for an empty one.
public enum Files {
  /// What is at a path.
  public enum Kind: Hashable, Sendable {
    /// A regular file.
    case file
    /// A directory.
    case directory
    /// A symbolic link.
    case link
    /// Anything else: a device, a pipe, a socket.
    case other
  }

  // MARK: What is there

  /// What is at the path itself, links not followed; nil where nothing is.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func kind(_ path: FilePath) throws(HostError) -> Kind? {
    try status(path, follow: false).map(kind)
  }

  /// Whether anything is at the path itself.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func exists(_ path: FilePath) throws(HostError) -> Bool { try kind(path) != nil }

  /// Whether a directory is there, links followed.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isDirectory(_ path: FilePath) throws(HostError) -> Bool {
    try status(path, follow: true).map(kind) == .directory
  }

  /// Whether a regular file is there, links followed.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isFile(_ path: FilePath) throws(HostError) -> Bool {
    try status(path, follow: true).map(kind) == .file
  }

  /// Whether there is a regular file that this process may execute.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isExecutable(_ path: FilePath) throws(HostError) -> Bool {
    guard try isFile(path) else { return false }
    return try allows(X_OK, path)
  }

  /// Whether this process may read the file, or list the directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isReadable(_ path: FilePath) throws(HostError) -> Bool { try allows(R_OK, path) }

  /// Whether this process may write to the file or directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isWritable(_ path: FilePath) throws(HostError) -> Bool { try allows(W_OK, path) }

  private static func allows(_ mode: Int32, _ path: FilePath) throws(HostError) -> Bool {
    if path.withPlatformString({ access($0, mode) }) == 0 { return true }
    switch Errno.current {
    case .permissionDenied, .notPermitted, .readOnlyFileSystem, .noSuchFileOrDirectory, .notDirectory:
      return false
    case let reason: throw HostError("look at", path, reason)
    }
  }

  /// The names in a directory, sorted as bytes; none where there is no directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func list(
    _ directory: FilePath, beginningWith prefix: String = ""
  ) throws(HostError) -> [String] {
    try entries(directory, beginningWith: prefix).map(\.string).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  /// The names in a directory, sorted as bytes, whether they are text or not; none where there is no directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func components(of directory: FilePath) throws(HostError) -> [FilePath.Component] {
    try entries(directory).map { (name: $0, bytes: $0.bytes) }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.name)
  }

  /// The names in a directory with what each is, links not followed, sorted as bytes; none where there is no directory.
  ///
  /// Most file systems tell the kind with the name, so that this is one look, and not one for each name.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func listing(_ directory: FilePath) throws(HostError) -> [(name: String, kind: Kind)] {
    var listing: [(name: String, kind: Kind)] = []
    for entry in try read(directory, beginningWith: "") {
      let known: Kind?
      switch Int32(entry.type) {
      case Int32(DT_REG): known = .file
      case Int32(DT_DIR): known = .directory
      case Int32(DT_LNK): known = .link
      case Int32(DT_UNKNOWN): known = try kind(directory.appending(entry.name))
      default: known = .other
      }
      // An entry without a kind disappeared while the directory was read.
      if let known { listing.append((entry.name.string, known)) }
    }
    return listing.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The path with every link resolved; nil where it leads nowhere.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func resolved(_ path: FilePath) throws(HostError) -> FilePath? {
    guard let real = path.withPlatformString({ realpath($0, nil) }) else {
      return try absence(of: path, "resolve")
    }
    defer { free(real) }
    return FilePath(platformString: real)
  }

  /// Where a link leads, as it is written in the link; nil where there is no link.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func linkTarget(_ path: FilePath) throws(HostError) -> FilePath? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = path.withPlatformString { readlink($0, &buffer, Int(PATH_MAX)) }
    guard length < 0 else { return FilePath(platformString: buffer) }
    // It is there, and no link.
    if Errno.current == .invalidArgument { return nil }
    return try absence(of: path, "read the link")
  }

  // MARK: Times, sizes and rights

  /// Whether a file or directory was changed after another; false where either is missing.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func isNewer(_ path: FilePath, than other: FilePath) throws(HostError) -> Bool {
    guard let time = try status(path, follow: true)?.st_mtim,
      let otherTime = try status(other, follow: true)?.st_mtim
    else { return false }
    return (time.tv_sec, time.tv_nsec) > (otherTime.tv_sec, otherTime.tv_nsec)
  }

  /// How many bytes a file holds; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func size(_ path: FilePath) throws(HostError) -> Int? {
    try status(path, follow: true).map { Int($0.st_size) }
  }

  /// How much room a file takes on its disk, or a directory with all that is in it, in bytes.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func diskUsage(_ path: FilePath) throws(HostError) -> Int {
    guard let status = try status(path, follow: false) else { return 0 }
    let blockSize = 512
    var usage = Int(status.st_blocks) * blockSize
    guard kind(of: status) == .directory else { return usage }
    for name in try entries(path) { usage += try diskUsage(path.appending(name)) }
    return usage
  }

  /// How many bytes root can still write to the file system that a path lies on, and which one that is.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func room(at path: FilePath) throws(HostError) -> (free: Int, fileSystem: UInt) {
    var status = statvfs()
    guard path.withPlatformString({ statvfs($0, &status) }) == 0 else {
      throw HostError("measure the room at", path, .current)
    }
    return (Int(status.f_bavail) * Int(status.f_frsize), UInt(status.f_fsid))
  }

  /// Whether nothing on the file system that a path lies on can be executed.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func forbidsExecution(_ path: FilePath) throws(HostError) -> Bool {
    // ST_NOEXEC, which Swift does not see.
    try mountFlags(at: path) & 8 != 0
  }

  /// Whether the file system that a path lies on is mounted read-only, so that not even root may write to it.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func forbidsChanges(_ path: FilePath) throws(HostError) -> Bool {
    // ST_RDONLY, which Swift does not see.
    try mountFlags(at: path) & 1 != 0
  }

  private static func mountFlags(at path: FilePath) throws(HostError) -> UInt {
    var status = statvfs()
    guard path.withPlatformString({ statvfs($0, &status) }) == 0 else {
      throw HostError("look at", path, .current)
    }
    return UInt(status.f_flag)
  }

  /// When a file or directory was changed last, in seconds since 1970; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func modificationTime(_ path: FilePath) throws(HostError) -> Int? {
    try status(path, follow: false)?.st_mtim.tv_sec
  }

  /// When the contents of a directory, or of anything in it, were written last, in seconds since 1970; 0 where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func newestTime(in path: FilePath) throws(HostError) -> Int {
    var newest = try modificationTime(path) ?? 0
    guard try kind(path) == .directory else { return newest }
    for name in try entries(path) { newest = max(newest, try newestTime(in: path.appending(name))) }
    return newest
  }

  /// When what is at a path was last written, renamed or otherwise changed, in seconds since 1970; nil where nothing is.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func changeTime(_ path: FilePath) throws(HostError) -> Int? {
    try status(path, follow: false)?.st_ctim.tv_sec
  }

  /// What tells a file from every other one, and from what it was before a change; nil where nothing is at the path.
  ///
  /// - Throws: `HostError` where the look failed.
  package static func identity(_ path: FilePath) throws(HostError) -> Identity? {
    try status(path, follow: true).map { status in
      Identity(
        device: Int(truncatingIfNeeded: status.st_dev), inode: Int(truncatingIfNeeded: status.st_ino),
        size: Int(status.st_size), written: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
    }
  }

  private static func nanoseconds(_ time: timespec) -> Int {
    Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }

  /// What tells a file from every other one, and from what it was before a change; times in nanoseconds since 1970.
  package struct Identity: Codable, Hashable, Sendable {
    /// The file system.
    package let device: Int
    /// Its number there.
    package let inode: Int
    /// In bytes.
    package let size: Int
    /// When its contents were written.
    package let written: Int
    /// When anything of it was changed.
    package let changed: Int

    /// Whether it is the same file with the same contents, though it may have been renamed.
    package func isSame(as other: Identity) -> Bool {
      device == other.device && inode == other.inode && size == other.size && written == other.written
    }
  }

  /// Whether a directory is this user's own, and nobody else may look into it or change it.
  static func isPrivateDirectory(_ path: FilePath) throws(HostError) -> Bool {
    guard let status = try status(path, follow: false) else { return false }
    return kind(of: status) == .directory && status.st_uid == geteuid()
      && status.st_mode & (S_IRWXG | S_IRWXO) == 0
  }

  /// Whether two paths lead to one and the same thing; false where either leads nowhere.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func areSame(_ left: FilePath, _ right: FilePath) throws(HostError) -> Bool {
    guard let left = try status(left, follow: true), let right = try status(right, follow: true) else {
      return false
    }
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino
  }

  // MARK: Below

  /// What is in a directory, under names that need not be text.
  static func entries(
    _ directory: FilePath, beginningWith prefix: String = ""
  ) throws(HostError) -> [FilePath.Component] {
    try read(directory, beginningWith: prefix).map(\.name)
  }

  private static func read(
    _ directory: FilePath, beginningWith prefix: String
  ) throws(HostError) -> [(name: FilePath.Component, type: UInt8)] {
    guard let stream = directory.withPlatformString({ opendir($0) }) else {
      return try absence(of: directory, "list") ?? []
    }
    defer { closedir(stream) }
    var entries: [(name: FilePath.Component, type: UInt8)] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          strncmp(name, prefix, prefix.utf8.count) == 0 ? FilePath.Component(platformString: name) : nil
        }
      }
      if let name, name.kind == .regular { entries.append((name, entry.pointee.d_type)) }
    }
    guard errno == 0 else { throw HostError("list", directory, .current) }
    return entries
  }

  /// The status of what is at a path; nil where nothing is.
  static func status(_ path: FilePath, follow: Bool) throws(HostError) -> stat? {
    var status = stat()
    let code = path.withPlatformString { follow ? stat($0, &status) : lstat($0, &status) }
    return code == 0 ? status : try absence(of: path, "look at")
  }

  static func kind(of status: stat) -> Kind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .link
    default: .other
    }
  }

  /// Returns nil if the call that has just failed said that nothing is there, and throws otherwise.
  private static func absence<Value>(of path: FilePath, _ operation: String) throws(HostError) -> Value? {
    switch Errno.current {
    case .noSuchFileOrDirectory, .notDirectory: return nil
    case let reason: throw HostError(operation, path, reason)
    }
  }

  static func attempt<Value>(
    _ operation: String, _ path: FilePath, _ body: () throws -> Value
  ) throws(HostError) -> Value {
    do {
      return try body()
    } catch {
      throw error as? HostError ?? HostError(operation, path, error as? Errno ?? .ioError)
    }
  }
}

extension FilePath.Component {
  /// The name as it is on disk, text or not.
  public var bytes: [UInt8] {
    withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }
}
