// SPDX-License-Identifier: GPL-2.0-or-later

/// The state of one module for one kernel.
public struct ModuleCondition: Codable, Hashable, Sendable {
  /// The version that belongs to the kernel: the newest one whose source is there.
  public var id: ModuleID
  /// The names of the kernel modules in it, as far as they are known.
  public var moduleNames: [String]
  /// The version that is installed.
  public var installed: ModuleID?
  /// Whether the installed version has lost its source package to another one.
  public var usesKeptSource: Bool
  /// Whether the installed version was built for another kernel of the same release.
  public var isForAnotherKernel = false
  /// Whether `id` is built.
  public var isBuilt: Bool
  /// What keeps `id` from being built.
  public var obstacle: DKMSError?
  /// The last build of `id`, if that failed.
  public var failure: FailedBuild?
  /// The files that the installed version, or else the built one, should have in the kernel's directory.
  public var files: [ModuleFileCondition]

  /// Makes a description; by default, that of a module with nothing built or installed.
  public init(
    id: ModuleID, moduleNames: [String] = [], installed: ModuleID? = nil, usesKeptSource: Bool = false,
    isBuilt: Bool = false, obstacle: DKMSError? = nil, failure: FailedBuild? = nil,
    files: [ModuleFileCondition] = []
  ) {
    self.id = id
    self.moduleNames = moduleNames
    self.installed = installed
    self.usesKeptSource = usesKeptSource
    self.isBuilt = isBuilt
    self.obstacle = obstacle
    self.failure = failure
    self.files = files
  }
}

/// A build that failed and has not been fixed.
public struct FailedBuild: Codable, Hashable, Sendable {
  /// Its log.
  public var log: String
  /// The first error in the log, where one was found.
  public var firstError: String?

  /// Describes a failure.
  public init(log: String, firstError: String?) {
    self.log = log
    self.firstError = firstError
  }
}
