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
