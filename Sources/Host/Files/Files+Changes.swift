// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
public import SystemPackage

/// Changes of the file system that are either whole or not there.
extension Files {
  /// Makes a directory and those above it, mode 0755; one that is there is left as it is.
  ///
  /// - Throws: `HostError` where one of them cannot be made.
  public static func makeDirectories(_ path: FilePath) throws(HostError) {
    // Another run may make it at the same time, or remove it or its parent while they are empty.
    var attempts = 100
    while try !isDirectory(path) {
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
  /// - Throws: `HostError` where it cannot be made or protected, or something else is there.
  public static func makePrivateDirectory(_ path: FilePath) throws(HostError) {
    try makeDirectories(path.removingLastComponent())
    let isMade = path.withPlatformString { mkdir($0, 0o700) } == 0
    guard isMade || Errno.current == .fileExists else {
      throw HostError("make the directory", path, .current)
    }
    if !isMade, try !isDirectory(path) { throw HostError("make the directory", path, .fileExists) }
    guard path.withPlatformString({ chmod($0, 0o700) }) == 0 else {
      throw HostError("protect", path, .current)
    }
  }

  /// Makes a directory with a new, unused name that begins with this prefix, mode 0700.
  ///
  /// - Throws: `HostError` where it cannot be made.
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
  /// It is whole at every moment; a process that is killed may leave it in both places.
  ///
  /// - Throws: `HostError`; the file is where it was then, or in both places.
  public static func move(_ file: FilePath, to path: FilePath) throws(HostError) {
    try duplicate(file, to: path)
    try remove(file)
    try synchronize(file.removingLastComponent())
  }

  /// Copies a file, also to another file system, with its owner, permissions and times, and brings its name to the disk.
  ///
  /// - Throws: `HostError`; what was there before then is there still.
  public static func duplicate(_ file: FilePath, to path: FilePath) throws(HostError) {
    guard let original = try status(file, follow: false) else {
      throw HostError("copy", file, .noSuchFileOrDirectory)
    }
    try makeLastingDirectories(path.removingLastComponent())
    let staged = stagingPath(for: path)
    do {
      try writeStaged(try read(file), to: staged, for: path, .ownerReadWrite, like: original)
      try rename(staged, to: path)
      try synchronize(path.removingLastComponent())
    } catch {
      unlink(staged.string)
      throw error
    }
  }

  /// Puts a copy of a file in the place of another, in one step.
  ///
  /// - Throws: `HostError`; what was there before then is there still.
  public static func copy(
    _ source: FilePath, to path: FilePath, permissions: FilePermissions = .everyoneReads
  ) throws(HostError) {
    try write(try read(source), to: path, permissions: permissions)
  }

  /// Makes a link, or points an existing one elsewhere, in one step.
  ///
  /// - Throws: `HostError` where it cannot be made; what was there before then is there still.
  public static func link(_ path: FilePath, to target: FilePath) throws(HostError) {
    let staged = stagingPath(for: path)
    unlink(staged.string)
    guard symlink(target.string, staged.string) == 0 else { throw HostError("link", path, .current) }
    try rename(staged, to: path)
  }

  /// Renames over whatever file is there.
  ///
  /// - Throws: `HostError`, also where a device, a pipe or a socket is there: `/dev/null` must stay what it is.
  public static func rename(_ source: FilePath, to path: FilePath) throws(HostError) {
    guard try kind(path) != .other else { throw HostError("replace", path, .notAFile(.other)) }
    guard Glibc.rename(source.string, path.string) == 0 else {
      throw HostError("rename \(source) to", path, .current)
    }
  }

  /// Exchanges two directories.
  ///
  /// This takes one step, or three where the file system cannot do it in one, or one for each file where it cannot
  /// rename them at all; `recover` finishes what is killed in between.
  ///
  /// - Throws: `HostError` where a step failed; `recover` then puts back what was put aside.
  public static func exchange(_ staged: FilePath, with path: FilePath) throws(HostError) {
    let flags = CUnsignedInt(LINUX_RENAME_EXCHANGE)
    if renameat2(AT_FDCWD, staged.string, AT_FDCWD, path.string, flags) == 0 { return }
    if errno == EXDEV { return try exchangeInPlace(staged, with: path) }
    guard errno == EINVAL || errno == ENOSYS else {
      throw HostError("swap \(staged) with", path, .current)
    }
    let aside = path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "")\(asideSuffix)")
    do {
      try rename(path, to: aside)
    } catch {
      guard error.errno == .improperLink else { throw error }
      return try exchangeInPlace(staged, with: path)
    }
    try rename(staged, to: path)
    try rename(aside, to: staged)
  }

  /// Puts back what killed exchanges had put aside in a directory or were changing, or removes it if its successor
  /// is in place.
  ///
  /// - Throws: `HostError` where the look failed; what cannot be put back stays aside.
  public static func recover(_ directory: FilePath) throws(HostError) {
    for name in try list(directory) where isAside(name) {
      if let path = path(keptAs: name, in: directory) {
        try restore(directory.appending(name), to: path)
        continue
      }
      let path = directory.appending(String(name.dropFirst().dropLast(asideSuffix.count)))
      if try exists(path) {
        try remove(directory.appending(name))
      } else {
        try rename(directory.appending(name), to: path)
      }
    }
  }

  /// Whether an exchange has put something aside under this name, or a copy of it.
  public static func isAside(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(asideSuffix) || path(keptAs: name, in: "") != nil
  }

  /// Brings a file, or the names in a directory, to the disk.
  ///
  /// - Throws: `HostError` where nothing is there, or it cannot be synced.
  public static func synchronize(_ path: FilePath) throws(HostError) {
    try attempt("synchronize", path) {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
      try descriptor.closeAfter { try descriptor.sync() }
    }
  }

  /// Sets when a file or directory was written last, in seconds since 1970.
  ///
  /// - Throws: `HostError`, also where nothing is there.
  package static func touch(_ path: FilePath, at time: Int) throws(HostError) {
    let times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
    guard path.withPlatformString({ utimensat(AT_FDCWD, $0, times, 0) }) == 0 else {
      throw HostError("set the time of", path, .current)
    }
  }

  /// Removes a file, a link itself, or a directory with everything in it.
  ///
  /// It is no error if nothing is there.
  ///
  /// - Throws: `HostError` where a part of it cannot be removed.
  public static func remove(_ path: FilePath) throws(HostError) {
    guard let kind = try kind(path) else { return }
    if kind == .directory {
      for entry in try entries(path) { try remove(path.appending(entry)) }
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
}

extension FilePermissions {
  /// Mode 0644.
  public static let everyoneReads: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
}

extension FileDescriptor {
  func sync() throws {
    // A signal may come while a slow disk is waited for.
    while fsync(rawValue) != 0 { guard errno == EINTR else { throw Errno.current } }
  }

  /// Takes over the permissions and times of a file, and its owner where this user may.
  func become(like original: stat) throws {
    _ = fchown(rawValue, original.st_uid, original.st_gid)
    let times = [original.st_atim, original.st_mtim]
    guard fchmod(rawValue, original.st_mode & 0o7777) == 0, futimens(rawValue, times) == 0 else {
      throw Errno.current
    }
  }
}
