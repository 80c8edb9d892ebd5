// SPDX-License-Identifier: GPL-2.0-or-later

/// What `dkms` tells its caller.
///
/// The numbers are the reference's; scripts read them.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
  /// The number handed to the kernel at exit.
  public let rawValue: Int32

  /// Takes a number as it is.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  private init(_ rawValue: Int32) { self.rawValue = rawValue }

  /// Done, or nothing to do.
  public static let success = Self(0)
  /// Not allowed, or an argument is missing.
  public static let refused = Self(1)
  /// Unknown option, or the source directory is missing.
  public static let usage = Self(2)
  /// The module is not in the tree, or is there already.
  public static let wrongState = Self(3)
  /// A broken module, a missing dkms.conf, a second action.
  public static let broken = Self(4)
  /// A patch is missing, or `--all` does not go with the action.
  public static let unusable = Self(5)
  /// A patch, an installation or depmod failed.
  public static let installFailed = Self(6)
  /// The build ended well without a module it promises.
  public static let moduleNotProduced = Self(7)
  /// A dkms.conf that says something impossible.
  public static let badConfiguration = Self(8)
  /// A source directory without dkms.conf, or a tarball that cannot be written.
  public static let sourceUnusable = Self(9)
  /// The build command failed.
  public static let buildFailed = Self(10)
  /// At least one module of `autoinstall` failed.
  public static let autoinstallFailed = Self(11)
  /// No architecture is known.
  public static let noArchitecture = Self(12)
  /// A module that this one needs is not installed.
  public static let missingDependency = Self(13)
  /// Modules could not be cleared away for a kernel that comes or goes.
  public static let kernelActionFailed = Self(14)
  /// The name of a kernel is empty.
  public static let noKernel = Self(16)
  /// The kernel's headers are not installed.
  public static let headersMissing = Self(21)
  /// The dkms.conf excludes this kernel.
  public static let excluded = Self(77)
  /// The module's PRE_INSTALL script refused.
  public static let preInstallFailed = Self(101)
  /// A signal stopped it; the number is the one a shell would give.
  public static let interrupted = Self(130)
}
