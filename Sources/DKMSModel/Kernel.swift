// SPDX-License-Identifier: GPL-2.0-or-later

/// The release of a kernel, as `uname -r` prints it and as its module directory is called.
public struct KernelRelease: Hashable, Sendable, CustomStringConvertible {
  /// The release itself.
  public let description: String

  /// Takes a release from text.
  ///
  /// - Throws: `DKMSError.invalidName` where the text cannot be the name of one directory.
  public init(_ text: String) throws(DKMSError) {
    try ModuleID.validate(text, as: .kernelRelease)
    description = text
  }
}

/// What a module is built for: a kernel release on an architecture.
public struct Kernel: Hashable, Sendable, CustomStringConvertible {
  /// The release of the kernel.
  public let release: KernelRelease
  /// The architecture as `uname -m` prints it.
  public let architecture: String

  /// Makes a kernel of its two parts.
  ///
  /// - Throws: `DKMSError.invalidName` where the architecture cannot be the name of one directory.
  public init(release: KernelRelease, architecture: String) throws(DKMSError) {
    try ModuleID.validate(architecture, as: .architecture)
    self.release = release
    self.architecture = architecture
  }

  /// `release (architecture)`, for people.
  public var description: String { "\(release) (\(architecture))" }
}

/// Identifies one build of a kernel among others of the same release, as far as modules are concerned.
public struct KernelFingerprint: Codable, Hashable, Sendable {
  /// The packages that own the kernel and its headers, with versions and build dates, where that is known.
  public var owner: String?
  /// A digest of the symbols that the kernel exports, with their versions.
  public var symbols: String
  /// A digest of the kernel's configuration.
  public var configuration: String
  /// The compiler that built it, by its own words.
  public var compiler: String

  /// Makes a fingerprint.
  public init(owner: String?, symbols: String, configuration: String, compiler: String) {
    self.owner = owner
    self.symbols = symbols
    self.configuration = configuration
    self.compiler = compiler
  }

  /// Reads what `text` has written; nil for anything else.
  public init?(text: String) {
    let fields = text.split(separator: "\n").map { line in
      line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    }
    let value = { (name: String) in fields.first { $0.count == 2 && $0[0] == name }?[1] }
    guard let symbols = value("symbols"), let configuration = value("configuration"),
      let compiler = value("compiler")
    else { return nil }
    self.init(
      owner: value("owner"), symbols: symbols, configuration: configuration, compiler: compiler)
  }

  /// One line for each part.
  public var text: String {
    (owner.map { "owner \($0)\n" } ?? "")
      + "symbols \(symbols)\nconfiguration \(configuration)\ncompiler \(compiler)\n"
  }

  /// Whether modules for one are modules for the other.
  ///
  /// An owner is only compared if both know theirs.
  public func matches(_ other: KernelFingerprint) -> Bool {
    (owner == nil || other.owner == nil || owner == other.owner) && symbols == other.symbols
      && configuration == other.configuration && compiler == other.compiler
  }
}

extension StringProtocol {
  /// A module's name as the kernel writes it, which takes a dash for an underscore.
  package var asKernelModuleName: String { String(map { $0 == "-" ? "_" : $0 }) }
}
