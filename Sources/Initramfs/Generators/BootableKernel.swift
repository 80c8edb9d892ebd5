// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// A kernel as the generators know it.
public struct BootableKernel: Hashable, Sendable {
  /// The kernel.
  public var kernel: Kernel
  /// The package base after which Arch names its images; nil where its package tells none.
  public var packageBase: String?

  /// Names a kernel.
  public init(_ kernel: Kernel, packageBase: String?) {
    self.kernel = kernel
    self.packageBase = packageBase
  }
}
