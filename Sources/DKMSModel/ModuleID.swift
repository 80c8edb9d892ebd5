// SPDX-License-Identifier: GPL-2.0-or-later

/// A version of an out-of-tree module package, written `name/version`.
///
/// Both parts come from `PACKAGE_NAME` and `PACKAGE_VERSION` of its dkms.conf. They become names of
/// directories, so neither may leave the tree it is put in.
public struct ModuleID: Hashable, Sendable, CustomStringConvertible {
  /// The value of `PACKAGE_NAME`.
  public let name: String
  /// The value of `PACKAGE_VERSION`.
  public let version: String

  /// Makes an identifier of two parts.
  ///
  /// - Throws: `DKMSError.invalidName` for a part that cannot be the name of one directory.
  public init(name: String, version: String) throws(DKMSError) {
    try Self.validate(name, as: .moduleName)
    try Self.validate(version, as: .moduleVersion)
    self.name = name
    self.version = version
  }

  /// `name/version`, as `dkms status` prints it.
  public var description: String { "\(name)/\(version)" }

  /// The directory of the module's source below the source tree: `name-version`.
  public var sourceDirectoryName: String { "\(name)-\(version)" }

  static func validate(_ text: String, as kind: NameKind) throws(DKMSError) {
    guard let problem = problem(in: text) else { return }
    throw .invalidName(kind, value: text, problem: problem)
  }

  private static func problem(in text: String) -> String? {
    if text.isEmpty { return "it is empty" }
    if text == "." || text == ".." { return "it names a directory above" }
    if text.contains("/") { return "it contains a slash" }
    if text.hasPrefix("-") { return "it begins with a dash" }
    if text.hasPrefix(".") { return "it begins with a dot" }
    if text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) {
      return "it contains white space or a control character"
    }
    return nil
  }
}

/// A module that comes from outside the trees: out of a directory, or out of a tarball.
public struct ModuleOrigin: Codable, Hashable, Sendable {
  /// The module version, as its dkms.conf calls it.
  public var id: ModuleID
  /// The directory that holds the dkms.conf, and the source if there is one.
  public var directory: String
  /// Whether that directory holds the dkms.conf alone.
  public var holdsOnlyBuilds: Bool
  /// Directories of what was built of it.
  public var builds: [Kernel: String]
  /// Whether it comes out of a tarball that `mktarball` made.
  public var isTarball: Bool

  /// Describes where a module comes from.
  public init(
    _ id: ModuleID, directory: String, holdsOnlyBuilds: Bool = false, builds: [Kernel: String] = [:],
    isTarball: Bool = false
  ) {
    self.id = id
    self.directory = directory
    self.holdsOnlyBuilds = holdsOnlyBuilds
    self.builds = builds
    self.isTarball = isTarball
  }
}

/// The order in which DKMS compares module versions and kernel releases.
///
/// Runs of digits are compared as numbers, everything else as text. It is the reference's order, which
/// BUILD_EXCLUSIVE_KERNEL_MIN and `autoinstall` depend on; packages have pacman's order instead.
public struct VersionOrder: Comparable, Hashable, Sendable {
  private let parts: [Part]

  private enum Part: Comparable, Hashable, Sendable {
    // In this order, because a digit sorts before a letter in the reference's padded text.
    case number(digits: [UInt8])
    case byte(UInt8)

    static func < (left: Part, right: Part) -> Bool {
      switch (left, right) {
      case (.number(let left), .number(let right)):
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
      case (.number(let left), .byte(let right)): (left.first ?? zero) < right
      case (.byte(let left), .number(let right)): left < (right.first ?? zero)
      case (.byte(let left), .byte(let right)): left < right
      }
    }
  }

  private static let zero = UInt8(ascii: "0")

  /// Prepares a version for comparison.
  public init(_ version: String) {
    var parts: [Part] = []
    var rest = Array(version.utf8)[...]
    while let byte = rest.first {
      let digits = rest.prefix { (Self.zero...UInt8(ascii: "9")).contains($0) }
      rest = rest.dropFirst(max(digits.count, 1))
      // Zeros in front mean nothing, but there is a digit left of a number that is nothing else.
      let significant = digits.dropLast().drop { $0 == Self.zero } + digits.suffix(1)
      parts.append(digits.isEmpty ? .byte(byte) : .number(digits: Array(significant)))
    }
    self.parts = parts
  }

  /// Whether the left version is the older one.
  public static func < (left: VersionOrder, right: VersionOrder) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }
}
