// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What framework.conf says of signing; nil where it leaves the choice to us.
public struct SigningOptions: Hashable, Sendable {
  /// The kernel's program that signs modules.
  public var program: KernelText?
  /// The private key: a file, or a `pkcs11:` URI.
  public var key: KernelText?
  /// The certificate that belongs to the key.
  public var certificate: KernelText?
  /// Whether modules are signed at all.
  public var policy: Policy = .outsideChroots

  /// Makes the options of a framework.conf that says nothing.
  public init() {}

  /// When modules are signed; the raw values are those of `try_sign_modules`.
  public enum Policy: String, Sendable {
    /// Wherever the kernel can verify signatures.
    case always = "true"
    /// Never.
    case never = "false"
    /// Likewise, but not in a chroot, where the keys of the machine are not at hand.
    case outsideChroots = "not_in_chroot"
  }
}
