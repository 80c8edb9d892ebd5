// SPDX-License-Identifier: GPL-2.0-or-later

/// The state of one kernel module that should be in a kernel's directory.
public struct ModuleFileCondition: Codable, Hashable, Sendable {
  /// The name of the module, without `.ko`.
  public var name: String
  /// The file, or where it should be.
  public var path: String
  /// Whether the file is there.
  public var exists: Bool
  /// The file as it was built; nil where that is missing.
  public var builtPath: String?
  /// Whether the file is what was built; nil where that is missing.
  public var isAsBuilt: Bool?
  /// Whether modules.dep names it.
  public var isListed: Bool
  /// What the module says of itself.
  public var information: Information
  /// The kernel's own module that stays because it is not older; only looked for if the file is missing.
  public var kernelsOwn: String?

  /// Makes a description; by default, nothing is wrong with the file.
  public init(
    name: String, path: String, exists: Bool = true, builtPath: String? = nil, isAsBuilt: Bool? = true,
    isListed: Bool = true, information: Information = .unknown, kernelsOwn: String? = nil
  ) {
    self.name = name
    self.path = path
    self.exists = exists
    self.builtPath = builtPath
    self.isAsBuilt = isAsBuilt
    self.isListed = isListed
    self.information = information
    self.kernelsOwn = kernelsOwn
  }

  /// What a module file says of itself.
  public enum Information: Codable, Hashable, Sendable {
    /// There was no way to ask.
    case unknown
    /// It is no module.
    case unreadable
    /// The kernel release it was built for, and whether a signature is appended to it.
    case read(release: String, isSigned: Bool)
  }
}
