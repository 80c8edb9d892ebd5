// SPDX-License-Identifier: GPL-2.0-or-later

/// What a package transaction did to modules and kernels, seen after the fact.
public struct Transaction: Codable, Hashable, Sendable {
  /// Modules whose source is new or changed.
  public var changedModules: [ModuleID]
  /// Registered modules whose source is gone.
  public var goneModules: [ModuleID]
  /// Kernels that are new, or whose headers are new or changed.
  public var changedKernels: [Kernel]
  /// Kernels that are gone.
  public var goneKernels: [Kernel]
  /// The running kernel, where it is gone: its modules stay until the next boot.
  public var keptKernels: [Kernel]
  /// Directories of new or changed sources whose dkms.conf cannot be understood: each may be the successor of
  /// a module whose source is gone.
  public var unreadSources: [String]
  /// Every kernel that is installed, those that changed among them.
  public var installedKernels: [Kernel]
  /// Whether this suite itself is new or changed, so that what has failed so far may succeed now.
  public var changesSuite = false

  /// Makes a transaction.
  public init(
    changedModules: [ModuleID] = [], goneModules: [ModuleID] = [], changedKernels: [Kernel] = [],
    goneKernels: [Kernel] = [], keptKernels: [Kernel] = [], unreadSources: [String] = [],
    installedKernels: [Kernel] = []
  ) {
    self.changedModules = changedModules
    self.goneModules = goneModules
    self.changedKernels = changedKernels
    self.goneKernels = goneKernels
    self.keptKernels = keptKernels
    self.unreadSources = unreadSources
    self.installedKernels = installedKernels
  }
}

extension Transaction {
  /// Takes out the installed kernels that the administrator wants left alone.
  public mutating func leaveAlone(where isLeftAlone: (Kernel) -> Bool) {
    changedKernels.removeAll(where: isLeftAlone)
    installedKernels.removeAll(where: isLeftAlone)
  }
}

/// A line that pacman hands to a hook: a path or a package that a transaction touches.
///
/// The line does not say whether the thing was installed, changed or removed.
public enum HookTarget: Hashable, Sendable {
  /// A module's dkms.conf; the name of its directory in the source tree.
  case moduleSource(directory: String)
  /// Something of a kernel itself.
  case kernel(KernelRelease)
  /// The headers of a kernel.
  case headers(KernelRelease)
  /// A package.
  case package(String)
  /// A file of this suite, named by hooks that fire when the suite comes or goes.
  case suite

  /// Understands a line; nil where it is none of these.
  public init?(line: String) {
    let parts = line.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1:
      guard !line.isEmpty, !line.contains(where: \.isWhitespace) else { return nil }
      self = .package(line)
    case 4 where parts.starts(with: ["usr", "src"]) && parts[3] == "dkms.conf" && !parts[2].isEmpty:
      self = .moduleSource(directory: parts[2])
    case 4... where parts.starts(with: ["usr", "lib", "modules"]):
      guard let target = Self.inKernelDirectory(parts[3], rest: Array(parts.dropFirst(4))) else { return nil }
      self = target
    case 4 where parts.starts(with: ["usr", "lib", "alpm-dkms"]):
      self = .suite
    default:
      return nil
    }
  }

  private static func inKernelDirectory(_ name: String, rest: [String]) -> HookTarget? {
    guard let release = try? KernelRelease(name) else { return nil }
    if rest == ["build", "include", ""] { return .headers(release) }
    let isOfKernel =
      rest.count == 1 && ["modules.order", "modules.alias", "vmlinuz", "pkgbase"].contains(rest[0])
    return isOfKernel ? .kernel(release) : nil
  }
}
