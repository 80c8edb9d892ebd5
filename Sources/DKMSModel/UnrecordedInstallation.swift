// SPDX-License-Identifier: GPL-2.0-or-later

/// Module files where DKMS installs that no build in the tree accounts for, though a source on the system builds modules
/// of their names.
public struct UnrecordedInstallation: Codable, Hashable, Sendable {
  /// The files that are there, in the order of the dkms.conf.
  public var files: [File]
  /// Names of modules that the dkms.conf promises and that have no file.
  public var missing: [String]
  /// Other module versions whose sources build modules of these names.
  public var rivals: [ModuleID] = []
  /// When the source came to the system, or was changed last, in seconds since 1970.
  public var sourceTime: Int
  /// When the kernel and its headers came to the system, in seconds since 1970.
  public var kernelTime: Int

  /// Describes an installation.
  public init(files: [File], missing: [String] = [], sourceTime: Int = 0, kernelTime: Int = 0) {
    self.files = files
    self.missing = missing
    self.sourceTime = sourceTime
    self.kernelTime = kernelTime
  }

  /// One module file.
  public struct File: Codable, Hashable, Sendable {
    /// The name of the module, without `.ko`.
    public var name: String
    /// Where it is.
    public var path: String
    /// When it was written, in seconds since 1970.
    public var time: Int
    /// The kernel release that it was built for; nil where it does not say.
    public var release: String?
    /// MODULE_VERSION; empty where it says none.
    public var version: String

    /// Describes a file.
    public init(name: String, path: String, time: Int, release: String?, version: String = "") {
      self.name = name
      self.path = path
      self.time = time
      self.release = release
      self.version = version
    }
  }

  /// Why it is not taken for a build of this module version for this kernel; nil where it is.
  ///
  /// Nothing tells what a file was built from. It is taken for a build of the source if it is whole, says that it is for
  /// this kernel, and was written after source and kernel had come to the system, and if no other source can have
  /// brought it.
  public func refusal(as id: ModuleID, for kernel: Kernel) -> String? {
    if let name = missing.first { return "\(name).ko is missing" }
    for file in files {
      guard file.release == kernel.release.description else { return "\(file.path) is for another kernel" }
      if file.time < sourceTime { return "\(file.path) is older than the source" }
      if file.time < kernelTime { return "\(file.path) is older than the kernel" }
      let isOurs = file.version == id.version && !rivals.contains { $0.version == id.version }
      if !rivals.isEmpty, !isOurs { return "\(file.path) may be of \(rivals[0])" }
    }
    return nil
  }
}
