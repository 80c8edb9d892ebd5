// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
public import SystemPackage

/// Questions to the file system, and changes of it that are either whole or not there.
public enum Files {
  /// What is at a path, links not followed.
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

  // MARK: Questions

  /// What is at the path itself; nil where there is nothing, or nothing that can be looked at.
  public static func kind(_ path: FilePath) -> Kind? {
    status(path, follow: false).map(kind)
  }

  /// Whether a directory is there, links followed.
  public static func isDirectory(_ path: FilePath) -> Bool {
    status(path, follow: true).map(kind) == .directory
  }

  /// Whether a regular file is there, links followed.
  public static func isFile(_ path: FilePath) -> Bool {
    status(path, follow: true).map(kind) == .file
  }

  /// Whether this process may execute the file.
  public static func isExecutable(_ path: FilePath) -> Bool {
    isFile(path) && access(path.string, X_OK) == 0
  }

  /// Whether this process may read the file, or list the directory.
  public static func isReadable(_ path: FilePath) -> Bool {
    access(path.string, R_OK) == 0
  }

  /// Whether this process may write to the file or directory.
  public static func isWritable(_ path: FilePath) -> Bool {
    access(path.string, W_OK) == 0
  }

  /// The names in a directory, sorted as bytes; none where there is no such directory.
  public static func list(_ directory: FilePath, beginningWith prefix: String = "") -> [String] {
    entries(directory, beginningWith: prefix).map(\.string).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  /// The names in a directory, sorted as bytes, whether they are text or not; none where there is no directory.
  public static func components(of directory: FilePath) -> [FilePath.Component] {
    entries(directory).map { (name: $0, bytes: $0.bytes) }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.name)
  }

  /// The path with every link resolved; nil where it leads nowhere.
  public static func resolved(_ path: FilePath) -> FilePath? {
    guard let real = realpath(path.string, nil) else { return nil }
    defer { free(real) }
    return FilePath(platformString: real)
  }

  /// Where a link leads, as it is written in the link; nil where there is no link.
  public static func linkTarget(_ path: FilePath) -> FilePath? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = path.withPlatformString { readlink($0, &buffer, Int(PATH_MAX)) }
    return length < 0 ? nil : FilePath(platformString: buffer)
  }

  /// The bytes of a file.
  ///
  /// - Throws: `HostError`.
  public static func read(_ path: FilePath) throws(HostError) -> [UInt8] {
    try attempt("read", path) {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
      return try descriptor.closeAfter { try descriptor.readToEnd() }
    }
  }

  /// The bytes of a file, but no more than this many.
  ///
  /// - Throws: `HostError`.
  public static func read(_ path: FilePath, upTo limit: Int) throws(HostError) -> [UInt8] {
    try attempt("read", path) {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
      return try descriptor.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < limit {
          let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
          if count == 0 { break }
          bytes += buffer.prefix(min(count, limit - bytes.count))
        }
        return bytes
      }
    }
  }

  /// The text of a file, without white space around it; nil where there is no such file.
  public static func text(_ path: FilePath) -> String? {
    guard let bytes = try? read(path) else { return nil }
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }),
      let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  /// Whether a file or directory was changed after another; false where either is missing.
  public static func isNewer(_ path: FilePath, than other: FilePath) -> Bool {
    guard let time = status(path, follow: true)?.st_mtim, let otherTime = status(other, follow: true)?.st_mtim
    else { return false }
    return (time.tv_sec, time.tv_nsec) > (otherTime.tv_sec, otherTime.tv_nsec)
  }

  /// How much room a file takes on its disk, or a directory with all that is in it, in bytes.
  public static func diskUsage(_ path: FilePath) -> Int {
    guard let status = status(path, follow: false) else { return 0 }
    let blockSize = 512
    let below = kind(of: status) == .directory ? entries(path).map { diskUsage(path.appending($0)) } : []
    return below.reduce(Int(status.st_blocks) * blockSize, +)
  }

  /// When a file or directory was changed last, in seconds since 1970; nil where there is none.
  public static func modificationTime(_ path: FilePath) -> Int? {
    status(path, follow: false)?.st_mtim.tv_sec
  }

  /// Whether anybody may write to it; a link says nothing of that.
  public static func isWritableByAnybody(_ path: FilePath) -> Bool {
    guard let status = status(path, follow: false), kind(of: status) != .link else { return false }
    let sticky: mode_t = 0o1000
    return status.st_mode & S_IWOTH != 0 && status.st_mode & sticky == 0
  }

  /// Whether two files have the same bytes.
  public static func haveEqualContents(_ left: FilePath, _ right: FilePath) -> Bool {
    guard let leftStatus = status(left, follow: true), let rightStatus = status(right, follow: true),
      leftStatus.st_size == rightStatus.st_size
    else { return false }
    guard let leftBytes = try? read(left), let rightBytes = try? read(right) else { return false }
    return leftBytes == rightBytes
  }

  /// Whether two directories hold the same names, and these the same permissions and bytes or, as links, the same targets.
  public static func haveEqualTrees(_ left: FilePath, _ right: FilePath) -> Bool {
    let names = list(left)
    return names == list(right)
      && names.allSatisfy { name in
        let (left, right) = (left.appending(name), right.appending(name))
        guard let status = status(left, follow: false),
          status.st_mode == Files.status(right, follow: false)?.st_mode
        else { return false }
        return switch kind(of: status) {
        case .directory: haveEqualTrees(left, right)
        case .link: linkTarget(left) == linkTarget(right)
        case .file: haveEqualContents(left, right)
        // Whoever opened a pipe would wait for somebody who writes.
        case .other: true
        }
      }
  }

  /// A digest of a file's contents, the same on every machine; nil where it cannot be read.
  ///
  /// It tells a change, not a forgery: FNV-1a, 64 bits, and the size.
  public static func digest(_ path: FilePath) -> String? {
    (try? read(path)).map { digest(of: $0) }
  }

  /// The same of bytes.
  public static func digest(of bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return "\(String(hash, radix: 16))-\(bytes.count)"
  }

  /// Whether two paths lead to one and the same thing; false where either cannot be looked at.
  public static func areSame(_ left: FilePath, _ right: FilePath) -> Bool {
    guard let left = status(left, follow: true), let right = status(right, follow: true) else { return false }
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino
  }

  /// Whether a directory is this user's own, and nobody else may look into it or change it.
  static func isPrivateDirectory(_ path: FilePath) -> Bool {
    guard let status = status(path, follow: false) else { return false }
    return kind(of: status) == .directory && status.st_uid == geteuid()
      && status.st_mode & (S_IRWXG | S_IRWXO) == 0
  }

  // MARK: Changes

  /// Makes a directory and those above it, mode 0755; one that is there is left as it is.
  ///
  /// - Throws: `HostError`.
  public static func makeDirectories(_ path: FilePath) throws(HostError) {
    // Another run may make it at the same time, or remove it or its parent, which are empty yet.
    var attempts = 100
    while !isDirectory(path) {
      let parent = path.removingLastComponent()
      if !parent.isEmpty && parent != path { try makeDirectories(parent) }
      if path.withPlatformString({ mkdir($0, 0o755) }) == 0 { return }
      let reason = Errno.current
      attempts -= 1
      guard reason == .noSuchFileOrDirectory || reason == .fileExists, attempts > 0 else {
        throw HostError("make the directory", path, reason)
      }
    }
  }

  /// Makes a directory that only its owner may look into, mode 0700; one that is there becomes so.
  ///
  /// - Throws: `HostError`.
  public static func makePrivateDirectory(_ path: FilePath) throws(HostError) {
    try makeDirectories(path.removingLastComponent())
    let isMade = path.withPlatformString { mkdir($0, 0o700) } == 0
    guard isMade || errno == EEXIST && isDirectory(path), path.withPlatformString({ chmod($0, 0o700) }) == 0
    else { throw HostError("make the directory", path, .current) }
  }

  /// How many bytes a file holds; nil where there is none.
  public static func size(_ path: FilePath) -> Int? { status(path, follow: true).map { Int($0.st_size) } }

  /// Makes a directory with a name that begins so and that nothing has yet, mode 0700.
  ///
  /// - Throws: `HostError`.
  public static func makeTemporaryDirectory(
    in parent: FilePath, prefix: String
  ) throws(HostError) -> FilePath {
    var template = Array(parent.appending("\(prefix)XXXXXX").string.utf8CString)
    guard mkdtemp(&template) != nil else { throw HostError("make a directory in", parent, .current) }
    return FilePath(platformString: template)
  }

  /// Writes a file beside its goal, brings it to the disk, and renames it into place.
  ///
  /// - Throws: `HostError`; what was there before then is there still.
  public static func write(_ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = .everyoneReads)
    throws(HostError)
  {
    let staged = stagingPath(for: path)
    do {
      try writeStaged(bytes, to: staged, for: path, permissions)
      try rename(staged, to: path)
    } catch {
      unlink(staged.string)
      throw error
    }
  }

  private static func writeStaged(
    _ bytes: [UInt8], to staged: FilePath, for path: FilePath, _ permissions: FilePermissions,
    like original: stat? = nil
  ) throws(HostError) {
    unlink(staged.string)
    try attempt("write", path) {
      let descriptor = try FileDescriptor.open(
        staged, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: permissions)
      try descriptor.closeAfter {
        try descriptor.writeAll(bytes)
        if let original { try descriptor.become(like: original) }
        try descriptor.sync()
      }
    }
  }

  /// Moves a file, also to another file system, with its owner, permissions and times.
  ///
  /// It is whole at every moment; whoever is killed may leave it in both places.
  ///
  /// - Throws: `HostError`; the file is where it was then, or in both places.
  public static func move(_ file: FilePath, to path: FilePath) throws(HostError) {
    guard let original = status(file, follow: false) else { throw HostError("move", file, .current) }
    try makeDirectories(path.removingLastComponent())
    let staged = stagingPath(for: path)
    do {
      try writeStaged(try read(file), to: staged, for: path, .ownerReadWrite, like: original)
      try rename(staged, to: path)
      try synchronize(path.removingLastComponent())
    } catch {
      unlink(staged.string)
      throw error
    }
    try remove(file)
    try synchronize(file.removingLastComponent())
  }

  /// Puts a copy of a file in the place of another, in one step.
  ///
  /// - Throws: `HostError`; what was there before then is there still.
  public static func copy(
    _ source: FilePath, to path: FilePath, permissions: FilePermissions = .everyoneReads
  ) throws(HostError) {
    try write(try read(source), to: path, permissions: permissions)
  }

  /// Makes a link, or leads one that is there elsewhere, in one step.
  ///
  /// - Throws: `HostError`.
  public static func link(_ path: FilePath, to target: FilePath) throws(HostError) {
    let staged = stagingPath(for: path)
    unlink(staged.string)
    guard symlink(target.string, staged.string) == 0 else { throw HostError("link", path, .current) }
    try rename(staged, to: path)
  }

  /// Renames over whatever file is there.
  ///
  /// - Throws: `HostError`.
  public static func rename(_ source: FilePath, to path: FilePath) throws(HostError) {
    guard Glibc.rename(source.string, path.string) == 0 else {
      throw HostError("rename \(source) to", path, .current)
    }
  }

  /// Puts a directory in the place of another, which comes to where that one was.
  ///
  /// In one step, or in three where the file system cannot; `recover` ends what is killed between these.
  ///
  /// - Throws: `HostError`.
  public static func exchange(_ staged: FilePath, with path: FilePath) throws(HostError) {
    let flags = CUnsignedInt(LINUX_RENAME_EXCHANGE)
    if renameat2(AT_FDCWD, staged.string, AT_FDCWD, path.string, flags) == 0 { return }
    guard errno == EINVAL || errno == ENOSYS else {
      throw HostError("swap \(staged) with", path, .current)
    }
    let aside = path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "")\(asideSuffix)")
    try rename(path, to: aside)
    try rename(staged, to: path)
    try rename(aside, to: staged)
  }

  /// Puts back what exchanges that were killed had put aside in a directory; what has a successor goes.
  public static func recover(_ directory: FilePath) {
    for name in list(directory) where isAside(name) {
      let path = directory.appending(String(name.dropFirst().dropLast(asideSuffix.count)))
      if kind(path) == nil {
        try? rename(directory.appending(name), to: path)
      } else {
        try? remove(directory.appending(name))
      }
    }
  }

  /// Whether an exchange has put something aside under this name.
  public static func isAside(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(asideSuffix) }

  /// Brings a file, or the names in a directory, to the disk.
  ///
  /// - Throws: `HostError`.
  public static func synchronize(_ path: FilePath) throws(HostError) {
    try attempt("synchronize", path) {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
      try descriptor.closeAfter { try descriptor.sync() }
    }
  }

  /// Removes a file, a link itself, or a directory with all that is in it; nothing there is well.
  ///
  /// - Throws: `HostError`.
  public static func remove(_ path: FilePath) throws(HostError) {
    guard let kind = kind(path) else { return }
    if kind == .directory {
      for entry in entries(path) { try remove(path.appending(entry)) }
    }
    let code = path.withPlatformString { kind == .directory ? rmdir($0) : unlink($0) }
    guard code == 0 || errno == ENOENT else { throw HostError("remove", path, .current) }
  }

  /// Removes a directory and those above it while they are empty, but never `limit` nor what is above that.
  public static func removeEmptyDirectories(from path: FilePath, upTo limit: FilePath) {
    var path = path
    while path != limit, path.starts(with: limit), rmdir(path.string) == 0 {
      path.removeLastComponent()
    }
  }

  /// The name under which a goal is made before it is renamed into place.
  ///
  /// No program takes it for a module: it begins with a dot and does not end in `.ko`.
  public static func stagingPath(for path: FilePath) -> FilePath {
    path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "")\(stagingSuffix)")
  }

  /// How every name that `stagingPath` gives ends.
  public static let stagingSuffix = ".alpm-dkms-new"

  /// How the name ends under which `exchange` puts a directory aside.
  private static let asideSuffix = ".alpm-dkms-old"

  // MARK: Below

  /// What is in a directory, under names that need not be text.
  private static func entries(
    _ directory: FilePath, beginningWith prefix: String = ""
  ) -> [FilePath.Component] {
    guard let stream = directory.withPlatformString({ opendir($0) }) else { return [] }
    defer { closedir(stream) }
    var entries: [FilePath.Component] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          strncmp(name, prefix, prefix.utf8.count) == 0 ? FilePath.Component(platformString: name) : nil
        }
      }
      if let name, name.kind == .regular { entries.append(name) }
    }
    return entries
  }

  private static func status(_ path: FilePath, follow: Bool) -> stat? {
    var status = stat()
    let code = path.withPlatformString { follow ? stat($0, &status) : lstat($0, &status) }
    return code == 0 ? status : nil
  }

  private static func kind(of status: stat) -> Kind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .link
    default: .other
    }
  }

  private static func attempt<Value>(
    _ operation: String, _ path: FilePath, _ body: () throws -> Value
  ) throws(HostError) -> Value {
    do {
      return try body()
    } catch {
      throw HostError(operation, path, error as? Errno ?? .ioError)
    }
  }
}

extension FilePath.Component {
  /// The name as it is on disk, text or not.
  public var bytes: [UInt8] {
    withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }
}

extension FilePermissions {
  /// Mode 0644.
  public static let everyoneReads: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
}

extension FileDescriptor {
  fileprivate func sync() throws {
    guard fsync(rawValue) == 0 else { throw Errno.current }
  }

  /// Takes over the permissions and times of a file, and its owner where this user may.
  fileprivate func become(like original: stat) throws {
    _ = fchown(rawValue, original.st_uid, original.st_gid)
    let times = [original.st_atim, original.st_mtim]
    guard fchmod(rawValue, original.st_mode & 0o7777) == 0, futimens(rawValue, times) == 0 else {
      throw Errno.current
    }
  }
}
