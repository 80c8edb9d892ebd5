// SPDX-License-Identifier: GPL-2.0-or-later

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

  /// A line a part.
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
