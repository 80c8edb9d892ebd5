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
