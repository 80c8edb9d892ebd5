// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
public import SystemPackage

/// What is in files. Only regular files are read: to open a pipe or a device may mean to wait for ever.
extension Files {
  /// The limit of readers that do not name their own, in bytes.
  public static let usualLimit = 256 << 20

  /// The bytes of a regular file.
  ///
  /// - Parameters:
  ///   - path: The file; links are followed.
  ///   - limit: How many bytes it may hold.
  /// - Returns: All of them.
  /// - Throws: `HostError`, also for what is no regular file, and for one that is larger.
  public static func read(_ path: FilePath, limit: Int = usualLimit) throws(HostError) -> [UInt8] {
    guard let bytes = try contents(path, limit) else {
      throw HostError("read", path, .noSuchFileOrDirectory)
    }
    return bytes
  }

  /// The bytes of a regular file; nil where nothing is at the path.
  ///
  /// - Throws: `HostError`, also for what is no regular file, and for one that is larger than the limit.
  public static func contents(
    _ path: FilePath, _ limit: Int = usualLimit
  ) throws(HostError) -> [UInt8]? {
    guard let (descriptor, size) = try openIfPresent(path) else { return nil }
    return try attempt("read", path) {
      try descriptor.closeAfter {
        // What /proc holds has no size until it is read.
        let bytes = size > limit ? nil : try descriptor.readToEnd(atMost: limit + 1, expecting: Int(size))
        guard let bytes, bytes.count <= limit else { throw HostError("read", path, .tooLarge(limit: limit)) }
        return bytes
      }
    }
  }

  /// The first bytes of a regular file, no more than this many.
  ///
  /// - Throws: `HostError`, also for what is no regular file.
  public static func read(_ path: FilePath, upTo limit: Int) throws(HostError) -> [UInt8] {
    let descriptor = try open(path)
    return try attempt("read", path) {
      try descriptor.closeAfter { try descriptor.readToEnd(atMost: limit) }
    }
  }

  /// Opens a regular file for reading, and never waits for one; whoever calls closes it.
  ///
  /// - Throws: `HostError`, also for what is no regular file.
  package static func open(_ path: FilePath) throws(HostError) -> FileDescriptor {
    guard let file = try openIfPresent(path) else { throw HostError("read", path, .noSuchFileOrDirectory) }
    return file.descriptor
  }

  /// Checks that a program or library that is about to read a file meets a regular one, and no more than it can take.
  ///
  /// - Throws: `HostError` for anything else; not where nothing is at the path.
  package static func checkIsFile(_ path: FilePath, limit: Int = .max) throws(HostError) {
    guard let (descriptor, size) = try openIfPresent(path) else { return }
    try? descriptor.close()
    guard size <= limit else { throw HostError("read", path, .tooLarge(limit: limit)) }
  }

  private static func openIfPresent(
    _ path: FilePath
  ) throws(HostError) -> (descriptor: FileDescriptor, size: Int64)? {
    let descriptor: FileDescriptor
    do {
      // Without `nonBlocking`, to open a pipe is to wait for a writer.
      descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch {
      switch error as? Errno ?? .ioError {
      case .noSuchFileOrDirectory, .notDirectory: return nil
      // A socket cannot be opened at all.
      case .noSuchAddressOrDevice: throw HostError("read", path, .notAFile(.other))
      case let reason: throw HostError("read", path, reason)
      }
    }
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0 else {
      let reason = Errno.current
      try? descriptor.close()
      throw HostError("read", path, reason)
    }
    guard kind(of: status) == .file else {
      try? descriptor.close()
      throw HostError("read", path, .notAFile(kind(of: status)))
    }
    return (descriptor, Int64(status.st_size))
  }

  /// The text of a small file, without white space around it; nil where nothing is at the path.
  ///
  /// - Throws: `HostError`, also for what is no regular file, and for one that is larger than 1 MiB.
  public static func text(_ path: FilePath) throws(HostError) -> String? {
    guard let bytes = try contents(path, 1 << 20) else { return nil }
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }),
      let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  // MARK: Comparisons

  /// Whether two files have the same bytes; false where either is missing or no file.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func haveEqualContents(_ left: FilePath, _ right: FilePath) throws(HostError) -> Bool {
    guard let leftStatus = try status(left, follow: true), let rightStatus = try status(right, follow: true),
      kind(of: leftStatus) == .file, kind(of: rightStatus) == .file,
      leftStatus.st_size == rightStatus.st_size
    else { return false }
    if leftStatus.st_dev == rightStatus.st_dev, leftStatus.st_ino == rightStatus.st_ino { return true }
    return try contents(left) == contents(right)
  }

  /// Whether two directories hold the same names, and these the same permissions and bytes or, as links, the same targets.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func haveEqualTrees(_ left: FilePath, _ right: FilePath) throws(HostError) -> Bool {
    let names = try list(left)
    guard try names == list(right) else { return false }
    for name in names where try !areEqual(left.appending(name), right.appending(name)) { return false }
    return true
  }

  private static func areEqual(_ left: FilePath, _ right: FilePath) throws(HostError) -> Bool {
    guard let status = try status(left, follow: false),
      try status.st_mode == Files.status(right, follow: false)?.st_mode
    else { return false }
    return switch kind(of: status) {
    case .directory: try haveEqualTrees(left, right)
    case .link: try linkTarget(left) == linkTarget(right)
    case .file: try haveEqualContents(left, right)
    // To open a pipe is to wait for a writer.
    case .other: true
    }
  }

  // MARK: Digests

  /// A digest of a file's contents, the same on every machine; nil where nothing is at the path.
  ///
  /// It tells a change, not a forgery: FNV-1a, 64 bits, and the size.
  ///
  /// - Throws: `HostError` where the look failed.
  public static func digest(_ path: FilePath) throws(HostError) -> String? {
    try contents(path).map { digest(of: $0) }
  }

  /// The digest of bytes in memory.
  public static func digest(of bytes: [UInt8]) -> String {
    var digest = RunningDigest()
    digest.add(bytes)
    return digest.text
  }

  /// The digest of bytes that come in pieces.
  public struct RunningDigest: Sendable {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private var count = 0

    /// Begins with no bytes.
    public init() {}

    /// Adds the next bytes.
    public mutating func add(_ bytes: [UInt8]) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      count += bytes.count
    }

    /// The digest of all bytes so far.
    public var text: String { "\(String(hash, radix: 16))-\(count)" }
  }
}

/// The standard library's questions to sequences, for questions that fail with an error of a known type.
extension Sequence {
  /// The elements of which it is true, in their order.
  ///
  /// - Throws: What `isIncluded` throws.
  package func `where`<Failure: Error>(
    _ isIncluded: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> [Element] {
    var elements: [Element] = []
    for element in self where try isIncluded(element) { elements.append(element) }
    return elements
  }

  /// The first element of which it is true.
  ///
  /// - Throws: What `isWanted` throws.
  package func firstWhere<Failure: Error>(
    _ isWanted: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Element? {
    for element in self where try isWanted(element) { return element }
    return nil
  }

  /// Whether it is true of any element.
  ///
  /// - Throws: What `isWanted` throws.
  package func hasAny<Failure: Error>(
    _ isWanted: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    try firstWhere(isWanted) != nil
  }

  /// The lists that the elements become, joined in their order.
  ///
  /// - Throws: What `transform` throws.
  package func collect<Value, Failure: Error>(
    _ transform: (Element) throws(Failure) -> [Value]
  ) throws(Failure) -> [Value] {
    var values: [Value] = []
    for element in self { values += try transform(element) }
    return values
  }
}
