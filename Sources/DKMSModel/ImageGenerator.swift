// SPDX-License-Identifier: GPL-2.0-or-later

/// A program that makes initramfs images.
public enum ImageGenerator: String, Codable, CaseIterable, Sendable {
  case mkinitcpio
  case dracut
  case booster
  /// It calls one of the others, or something that is not known here.
  case kernelInstall = "kernel-install"

  /// Those that an administrator can choose.
  public static let allCases: [ImageGenerator] = [.mkinitcpio, .dracut, .booster]
}

/// When images are made; the raw values are those of `initramfs` in `/etc/alpm-dkms.conf`.
public enum ImagePolicy: String, Codable, CaseIterable, Sendable {
  /// When they are not what they should be.
  case auto
  /// In each transaction that concerns their kernel.
  case always
  /// By nobody but the generator's own hooks.
  case never
}
